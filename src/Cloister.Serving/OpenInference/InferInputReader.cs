using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;

namespace Cloister.Serving.OpenInference;

/// <summary>
/// Reads one <c>$request_input</c>. Where name, shape and datatype come before the data, as nearly every client sends them, the
/// numbers are read once; otherwise the data is read over first and read again when its type is known.
/// </summary>
internal static class InferInputReader
{
    /// <summary>The input with its tensor, or with the size of the binary data that follows the JSON.</summary>
    /// <exception cref="ServingException">The input does not fit the model.</exception>
    public static (AnnouncedInput Input, Tensor? Tensor, long? BinarySize) Read(ref JsonCursor cursor, ServedModel model, TensorPool pool)
    {
        int at = cursor.Position, dataAt = -1;
        string? input = null, datatype = null;
        long[]? shape = null;
        long? size = null;
        (AnnouncedInput Input, Tensor Tensor)? read = null;
        try
        {
            var seen = new MemberSet();
            cursor.OpenObject("an input");
            while (cursor.NextMember(out ReadOnlySpan<byte> name))
            {
                if (seen.Adds(ref cursor, name, 0, "name"u8)) input = cursor.ReadText("an input's 'name'");
                else if (seen.Adds(ref cursor, name, 1, "shape"u8)) shape = ReadShape(ref cursor);
                else if (seen.Adds(ref cursor, name, 2, "datatype"u8)) datatype = cursor.ReadText("an input's 'datatype'", 16);
                else if (seen.Adds(ref cursor, name, 3, "parameters"u8)) size = ReadParameters(ref cursor);
                else if (seen.Adds(ref cursor, name, 4, "data"u8))
                {
                    if (InferRequestReader.IsNull(ref cursor)) continue;
                    dataAt = cursor.Position;
                    if (input is not null && shape is not null && datatype is not null) read = ReadData(ref cursor, model, pool, input, datatype, shape);
                    else cursor.Skip();
                }
                else throw InferRequestReader.Unknown(ref cursor, name, "an input", "name, shape, datatype, parameters, data");
            }
            if (input is null) throw cursor.Invalid("an input has no 'name'", at);
            if (shape is null) throw cursor.Invalid($"input '{input}' has no 'shape'", at);
            if (datatype is null) throw cursor.Invalid($"input '{input}' has no 'datatype'", at);
            if (size is not null && dataAt >= 0) throw cursor.Invalid($"input '{input}' has both 'data' and 'binary_data_size'", at);
            if (size is { } bytes) return (Announce(model, input, datatype, shape, bytes), null, bytes);
            if (dataAt < 0) throw cursor.Invalid($"input '{input}' has no 'data'", at);
            if (read is { } done) return (done.Input, done.Tensor, null);
            int end = cursor.Position;
            cursor.Return(dataAt);
            (AnnouncedInput late, Tensor tensor) = ReadData(ref cursor, model, pool, input, datatype, shape);
            cursor.Return(end);
            return (late, tensor, null);
        }
        catch
        {
            read?.Tensor.Dispose();
            throw;
        }
    }

    private static AnnouncedInput Announce(ServedModel model, string name, string datatype, long[] shape, long size)
    {
        AnnouncedInput input = AnnouncedInput.Of(model, name, datatype, shape);
        return input.ByteLength is { } length && length != size ? throw input.WrongSize(size) : input;
    }

    private static (AnnouncedInput, Tensor) ReadData(ref JsonCursor cursor, ServedModel model, TensorPool pool, string name, string datatype, long[] shape)
    {
        AnnouncedInput input = AnnouncedInput.Of(model, name, datatype, shape);
        if (input.Elements > cursor.Rest.Length)
            throw new ServingException(ServingError.WrongShape, $"Input '{name}': the body is too short for the values that shape {TensorShapes.Text(shape)} wants.");
        if (cursor.Peek() != JsonKind.Array) throw cursor.Invalid($"the data of input '{name}' must be a list");
        using var reader = ValueReader.For(input.Type, name, pool, input.Elements, input.Elements);
        reader.Read(ref cursor);
        if (reader.Count != input.Elements)
            throw new ServingException(ServingError.WrongShape, $"Input '{name}' has {reader.Count} values where shape {TensorShapes.Text(shape)} wants {input.Elements}.");
        if (reader.ItemShape.Length > 1 && !reader.ItemShape.SequenceEqual(shape))
            throw new ServingException(ServingError.WrongShape, $"The lists of input '{name}' have shape {TensorShapes.Text(reader.ItemShape)} where {TensorShapes.Text(shape)} is announced.");
        if (!input.IsPicture) return (input, reader.ToTensor(shape));
        IReadOnlyList<byte[]> texts = ((Json.TextReader)reader).Values;
        return (input, input.ToTensor([.. texts.Select(text => Base64Text.Decode(text, name, 0))], pool));
    }

    private static long[] ReadShape(ref JsonCursor cursor)
    {
        var shape = new List<long>();
        cursor.OpenArray("an input's 'shape'");
        while (cursor.NextElement())
        {
            if (shape.Count == ValueReader.MaximumRank) throw cursor.Invalid($"an input's 'shape' has more than {ValueReader.MaximumRank} dimensions");
            shape.Add(cursor.ReadInteger("a dimension of an input's 'shape'", 0, int.MaxValue));
        }
        return [.. shape];
    }

    private static long? ReadParameters(ref JsonCursor cursor)
    {
        if (InferRequestReader.IsNull(ref cursor)) return null;
        long? size = null;
        cursor.OpenObject("an input's 'parameters'");
        while (cursor.NextMember(out ReadOnlySpan<byte> name))
        {
            string parameter = ParameterReader.Name(ref cursor, name);
            ParameterValue value = ParameterReader.Value(ref cursor, parameter);
            if (parameter != "binary_data_size")
            {
                InferParameters.OfInput(parameter);
                continue;
            }
            if (size is not null) throw cursor.Invalid("'binary_data_size' stands there twice");
            size = value.Integer(parameter, 0, long.MaxValue);
        }
        return size;
    }
}

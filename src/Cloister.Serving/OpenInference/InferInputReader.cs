using Cloister.Onnx.Runtime;
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
    /// <summary>The model's input and its tensor.</summary>
    /// <exception cref="ServingException">The input does not fit the model.</exception>
    public static (int Index, Tensor Tensor) Read(ref JsonCursor cursor, ServedModel model, TensorPool pool)
    {
        int at = cursor.Position, dataAt = -1;
        string? input = null, datatype = null;
        long[]? shape = null;
        (int Index, Tensor Tensor)? read = null;
        try
        {
            var seen = new MemberSet();
            cursor.OpenObject("an input");
            while (cursor.NextMember(out ReadOnlySpan<byte> name))
            {
                if (seen.Adds(ref cursor, name, 0, "name"u8)) input = cursor.ReadText("an input's 'name'");
                else if (seen.Adds(ref cursor, name, 1, "shape"u8)) shape = ReadShape(ref cursor);
                else if (seen.Adds(ref cursor, name, 2, "datatype"u8)) datatype = cursor.ReadText("an input's 'datatype'", 16);
                else if (seen.Adds(ref cursor, name, 3, "parameters"u8)) ReadParameters(ref cursor);
                else if (seen.Adds(ref cursor, name, 4, "data"u8))
                {
                    dataAt = cursor.Position;
                    if (input is not null && shape is not null && datatype is not null) read = ReadData(ref cursor, model, pool, input, datatype, shape);
                    else cursor.Skip();
                }
                else throw InferRequestReader.Unknown(ref cursor, name, "an input", "name, shape, datatype, parameters, data");
            }
            if (read is { } done) return done;
            if (input is null) throw cursor.Invalid("an input has no 'name'", at);
            if (shape is null) throw cursor.Invalid($"input '{input}' has no 'shape'", at);
            if (datatype is null) throw cursor.Invalid($"input '{input}' has no 'datatype'", at);
            if (dataAt < 0) throw cursor.Invalid($"input '{input}' has no 'data'", at);
            int end = cursor.Position;
            cursor.Return(dataAt);
            (int, Tensor) late = ReadData(ref cursor, model, pool, input, datatype, shape);
            cursor.Return(end);
            return late;
        }
        catch
        {
            read?.Tensor.Dispose();
            throw;
        }
    }

    private static (int, Tensor) ReadData(ref JsonCursor cursor, ServedModel model, TensorPool pool, string name, string datatype, long[] shape)
    {
        int index = model.IndexOfInput(name);
        TensorInfo declared = model.Engine.Inputs[index];
        TensorElementType type = TensorTypes.FromOpenInference(datatype)
            ?? throw new ServingException(ServingError.WrongType, $"Input '{name}' has the unknown datatype '{datatype}'; the model takes {TensorTypes.OpenInference(declared.Type)}.");
        bool picture = type == TensorElementType.String && model.Picture?.Index == index;
        if (!picture && type != declared.Type)
            throw new ServingException(ServingError.WrongType,
                $"Input '{name}' takes {TensorTypes.OpenInference(declared.Type)}{(model.Picture?.Index == index ? " or, as base64 PNG pictures, BYTES" : "")}, not {datatype}.");
        if (picture ? shape.Length is not (1 or 2) || (shape.Length == 2 && shape[1] != 1) : declared.Mismatch(type, shape) is not null)
            throw new ServingException(ServingError.WrongShape,
                $"Input '{name}' takes shape {(picture ? "[N] or [N,1] of BYTES" : TensorShapes.Text([.. declared.Shape]))}, not {TensorShapes.Text(shape)}.");
        if (TensorShapes.Elements(shape) is not { } expected || expected > cursor.Rest.Length)
            throw new ServingException(ServingError.WrongShape, $"Input '{name}': the body is too short for the values that shape {TensorShapes.Text(shape)} wants.");
        if (cursor.Peek() != JsonKind.Array) throw cursor.Invalid($"the data of input '{name}' must be a list");
        using var reader = ValueReader.For(type, name, pool, expected, expected);
        reader.Read(ref cursor);
        if (reader.Count != expected)
            throw new ServingException(ServingError.WrongShape, $"Input '{name}' has {reader.Count} values where shape {TensorShapes.Text(shape)} wants {expected}.");
        if (reader.ItemShape.Length > 1 && !reader.ItemShape.SequenceEqual(shape))
            throw new ServingException(ServingError.WrongShape, $"The lists of input '{name}' have shape {TensorShapes.Text(reader.ItemShape)} where {TensorShapes.Text(shape)} is announced.");
        if (!picture) return (index, reader.ToTensor(shape));
        IReadOnlyList<byte[]> texts = ((Json.TextReader)reader).Values;
        return (index, model.Picture!.ToTensor([.. texts.Select(text => Base64Text.Decode(text, name, 0))], pool));
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

    private static void ReadParameters(ref JsonCursor cursor)
    {
        cursor.OpenObject("an input's 'parameters'");
        while (cursor.NextMember(out ReadOnlySpan<byte> name))
        {
            if (name.SequenceEqual("binary_data_size"u8))
                throw new ServingException(ServingError.Unsupported, "'binary_data_size' belongs to the binary tensor extension, which this server does not offer; send the data as JSON.");
            if (!name.SequenceEqual("content_type"u8)) throw InferRequestReader.Unknown(ref cursor, name, "an input's parameters", "content_type");
            cursor.Skip();
        }
    }
}

using Cloister.Onnx.Runtime;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow.Json;

namespace Cloister.Serving.TensorFlow;

/// <summary>Walks a JSON value as TF Serving does to make a tensor of it, and stops where it would.</summary>
internal ref struct TensorWalk
{
    private readonly TensorElementType _type;
    private readonly bool _isPicture;
    private readonly long[] _shape;
    private long _count;

    private TensorWalk(TensorElementType type, bool isPicture, long[] shape)
    {
        _type = type;
        _isPicture = isPicture;
        _shape = shape;
    }

    /// <summary>What is wrong with the value; null if it is a tensor of the input's type, or nests deeper than any.</summary>
    /// <param name="value">The value.</param>
    /// <param name="input">The input it is for.</param>
    /// <param name="model">The input's model.</param>
    /// <param name="count">How many elements it has.</param>
    /// <param name="shape">Its shape.</param>
    public static string? Check(JsonView value, TensorInfo input, ServedModel model, out long count, out long[] shape)
    {
        shape = ShapeOf(value);
        count = 0;
        if (shape.Length > ValueReader.MaximumRank) return null;
        var walk = new TensorWalk(input.Type, model.Picture?.Name == input.Name, shape);
        string? fault = walk.Fill(value, 0);
        count = walk._count;
        return fault;
    }

    private static long[] ShapeOf(JsonView value)
    {
        var shape = new List<long>();
        while (value.Kind == JsonKind.Array && shape.Count <= ValueReader.MaximumRank)
        {
            shape.Add(value.Count);
            if (shape[^1] == 0) break;
            JsonView.Enumerator elements = value.GetEnumerator();
            elements.MoveNext();
            value = elements.Current.Value;
        }
        return [.. shape];
    }

    private string? Fill(JsonView value, int level)
    {
        if (value.Kind != JsonKind.Array)
        {
            if (level != _shape.Length) return RefusalText.Of(value, $"found at incorrect level: {level + 1} in the JSON DOM. Expected at level: {_shape.Length}");
            string? fault = FillOne(value);
            if (fault is null) _count++;
            return fault;
        }
        if (level >= _shape.Length) return $"Encountered list at unexpected level: {level} expected < {_shape.Length}";
        long size = value.Count;
        if (size != _shape[level]) return $"Encountered list at unexpected size: {size} at level: {level} expected size: {_shape[level]}";
        foreach (JsonMember element in value)
            if (Fill(element.Value, level + 1) is { } fault) return fault;
        return null;
    }

    private readonly string? FillOne(JsonView value)
    {
        if (value.Kind == JsonKind.Object)
        {
            if (_isPicture && value.IsBase64) return null;
            if (_type != TensorElementType.String) return WrongType(value);
            if (!value.IsBase64) return RefusalText.Of(value, "not formatted correctly for base64 data");
            value.TryFind("b64"u8, out JsonView text);
            return Base64Bytes.TryDecode(text.Text, out _) ? null : "Unable to base64 decode";
        }
        bool fits = _type switch
        {
            TensorElementType.String => value.Kind == JsonKind.String,
            TensorElementType.Bool => value.Kind == JsonKind.Boolean,
            _ => value.Kind == JsonKind.Number && Holds(value),
        };
        return fits ? null : WrongType(value);
    }

    // What TF Serving demands of a number; the narrow types are 32 bits wide to it.
    private readonly bool Holds(JsonView value)
    {
        if (_type is TensorElementType.Float or TensorElementType.Double or TensorElementType.Float16 or TensorElementType.BFloat16) return true;
        if (!value.TryWhole(out Int128 whole)) return false;
        return _type switch
        {
            TensorElementType.Int64 => whole <= long.MaxValue,
            TensorElementType.UInt64 => whole >= 0,
            TensorElementType.UInt32 => whole >= 0 && whole <= uint.MaxValue,
            _ => whole >= int.MinValue && whole <= int.MaxValue,
        };
    }

    private readonly string WrongType(JsonView value) =>
        RefusalText.Of(value, $"Type: {value.KindName} is not of expected type: {DataTypes.Name(_type)}");
}

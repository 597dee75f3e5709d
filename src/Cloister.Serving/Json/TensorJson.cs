using System.Numerics;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;

namespace Cloister.Serving.Json;

/// <summary>Writes a tensor's elements.</summary>
internal static class TensorJson
{
    /// <summary>Writes <paramref name="count"/> elements from <paramref name="start"/> on, with the separator between them.</summary>
    public static void Write(JsonOutput json, Tensor tensor, int start, int count, FloatStyle style, ReadOnlySpan<byte> separator)
    {
        switch (tensor.Type)
        {
            case TensorElementType.Float: WriteFloats(json, tensor.Elements<float>().Slice(start, count), style, separator); break;
            case TensorElementType.Double: WriteDoubles(json, tensor.Elements<double>().Slice(start, count), style, separator); break;
            case TensorElementType.Float16: WriteHalves(json, tensor.Elements<Half>().Slice(start, count), style, separator); break;
            case TensorElementType.BFloat16: WriteBFloat16(json, tensor.Elements<BFloat16>().Slice(start, count), style, separator); break;
            case TensorElementType.Int8: WriteWhole<sbyte>(json, tensor, start, count, separator); break;
            case TensorElementType.Int16: WriteWhole<short>(json, tensor, start, count, separator); break;
            case TensorElementType.Int32: WriteWhole<int>(json, tensor, start, count, separator); break;
            case TensorElementType.Int64: WriteWhole<long>(json, tensor, start, count, separator); break;
            case TensorElementType.UInt8: WriteWhole<byte>(json, tensor, start, count, separator); break;
            case TensorElementType.UInt16: WriteWhole<ushort>(json, tensor, start, count, separator); break;
            case TensorElementType.UInt32: WriteWhole<uint>(json, tensor, start, count, separator); break;
            case TensorElementType.UInt64: WriteWhole<ulong>(json, tensor, start, count, separator); break;
            case TensorElementType.Bool: WriteBooleans(json, tensor.Elements<bool>().Slice(start, count), separator); break;
            case TensorElementType.String: WriteTexts(json, tensor.Texts.Slice(start, count), separator); break;
            default: throw new ServingException(ServingError.Unsupported, $"Elements of type {tensor.Type} cannot be sent as JSON.");
        }
    }

    /// <summary>As <see cref="Write"/>, filled up with spaces to what the longest such elements would take; texts are of one length already.</summary>
    /// <exception cref="InvalidOperationException">Elements of this type have no longest form; whoever made the tensor knows.</exception>
    public static void WriteInOneSize(JsonOutput json, Tensor tensor, int start, int count, FloatStyle style, ReadOnlySpan<byte> separator)
    {
        if (tensor.Type == TensorElementType.String)
        {
            Write(json, tensor, start, count, style, separator);
            return;
        }
        int longest = tensor.Type switch
        {
            TensorElementType.Float => FloatFormatter.Longest,
            TensorElementType.Double => DoubleFormatter.Longest,
            _ => throw new InvalidOperationException($"Elements of type {tensor.Type} have no size of their own."),
        };
        int before = json.Written.Length;
        Write(json, tensor, start, count, style, separator);
        json.Spaces(checked(count * longest + Math.Max(0, count - 1) * separator.Length - (json.Written.Length - before)));
    }

    private static void WriteFloats(JsonOutput json, ReadOnlySpan<float> values, FloatStyle style, ReadOnlySpan<byte> separator)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (i > 0) json.Raw(separator);
            json.Number(values[i], style);
        }
    }

    private static void WriteDoubles(JsonOutput json, ReadOnlySpan<double> values, FloatStyle style, ReadOnlySpan<byte> separator)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (i > 0) json.Raw(separator);
            json.Number(values[i], style);
        }
    }

    private static void WriteHalves(JsonOutput json, ReadOnlySpan<Half> values, FloatStyle style, ReadOnlySpan<byte> separator)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (i > 0) json.Raw(separator);
            json.Number((float)values[i], style);
        }
    }

    private static void WriteBFloat16(JsonOutput json, ReadOnlySpan<BFloat16> values, FloatStyle style, ReadOnlySpan<byte> separator)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (i > 0) json.Raw(separator);
            json.Number(values[i].ToSingle(), style);
        }
    }

    private static void WriteWhole<T>(JsonOutput json, Tensor tensor, int start, int count, ReadOnlySpan<byte> separator)
        where T : unmanaged, IBinaryInteger<T>
    {
        ReadOnlySpan<T> values = tensor.Elements<T>().Slice(start, count);
        for (int i = 0; i < values.Length; i++)
        {
            if (i > 0) json.Raw(separator);
            json.Number(values[i]);
        }
    }

    private static void WriteBooleans(JsonOutput json, ReadOnlySpan<bool> values, ReadOnlySpan<byte> separator)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (i > 0) json.Raw(separator);
            json.Boolean(values[i]);
        }
    }

    private static void WriteTexts(JsonOutput json, ReadOnlySpan<string> values, ReadOnlySpan<byte> separator)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (i > 0) json.Raw(separator);
            json.Text(values[i]);
        }
    }
}

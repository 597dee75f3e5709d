using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Cloister.Serving.Engines;

namespace Cloister.Serving.OpenInference;

/// <summary>
/// BYTES as binary data (Triton's binary tensor data extension; gRPC's raw contents): each element is its length as four
/// little-endian bytes, then its bytes.
/// </summary>
internal static class BytesElements
{
    private const int Prefix = sizeof(uint);

    /// <summary>The tensor of an input.</summary>
    /// <exception cref="ServingException">The lengths do not add up to the data and the shape, or an element is not what the input takes.</exception>
    public static Tensor Read(ReadOnlySpan<byte> data, AnnouncedInput input, TensorPool pool)
    {
        Demand(data, input);
        if (input.IsPicture)
        {
            var files = new byte[(int)input.Elements][];
            for (int i = 0; i < files.Length; i++) files[i] = Next(ref data).ToArray();
            return input.ToTensor(files, pool);
        }
        var texts = new string[(int)input.Elements];
        for (int i = 0; i < texts.Length; i++) texts[i] = input.Text(Next(ref data), i);
        return Tensor.FromTexts(texts, input.Shape);
    }

    /// <summary>The bytes that a tensor of texts takes.</summary>
    public static long Length(ReadOnlySpan<string> texts)
    {
        long length = 0;
        foreach (string text in texts) length += Prefix + Encoding.UTF8.GetByteCount(text);
        return length;
    }

    /// <summary>Writes a text with its length before it.</summary>
    public static void Write(IBufferWriter<byte> output, string text)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        BinaryPrimitives.WriteUInt32LittleEndian(output.GetSpan(Prefix), (uint)length);
        output.Advance(Prefix);
        output.Advance(Encoding.UTF8.GetBytes(text, output.GetSpan(length)));
    }

    // Every length is followed once before memory is taken for the elements.
    private static void Demand(ReadOnlySpan<byte> data, AnnouncedInput input)
    {
        int at = 0;
        long count = 0;
        for (; at < data.Length; count++)
        {
            if (data.Length - at < Prefix) throw Refused(input, $"{data.Length - at} bytes are left where the length of element {count} should stand");
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(data[at..]);
            at += Prefix;
            if (length > data.Length - at) throw Refused(input, $"element {count} announces {length} bytes, {data.Length - at} are left");
            at += (int)length;
        }
        if (count != input.Elements) throw Refused(input, $"it holds {count} elements where the shape wants {input.Elements}");
    }

    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> data)
    {
        int length = (int)BinaryPrimitives.ReadUInt32LittleEndian(data);
        ReadOnlySpan<byte> element = data.Slice(Prefix, length);
        data = data[(Prefix + length)..];
        return element;
    }

    private static ServingException Refused(AnnouncedInput input, string reason) =>
        new(ServingError.BinaryDataRefused, $"The binary data of input '{input.Name}' does not add up: {reason}.");
}

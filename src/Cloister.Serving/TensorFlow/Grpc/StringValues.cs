using System.Buffers;
using Cloister.Serving.ProtocolBuffers;

namespace Cloister.Serving.TensorFlow.Grpc;

/// <summary>The strings of a <c>TensorProto</c>: its list, whose last one fills what is missing, or its content, all lengths and then all bytes.</summary>
internal static class StringValues
{
    /// <summary>What each string takes in memory beside its bytes, about.</summary>
    private const int Overhead = 64;

    /// <exception cref="ServingException">They are not so many, or too many for a request.</exception>
    public static List<byte[]> Read(TensorHeader header, long count, long most, Func<string, ServingException> refuse)
    {
        if (count > Math.Max(most / Overhead, header.Message.Length)) throw refuse($"it would be filled up to {count} strings");
        return header.Content.IsEmpty ? ReadList(header.Message, (int)count) : ReadContent(header.Content, (int)count, refuse);
    }

    private static List<byte[]> ReadList(in ReadOnlySequence<byte> message, int count)
    {
        var values = new List<byte[]>(Math.Min(count, 1024));
        var reader = new WireReader(message);
        while (reader.Next(out int field, out WireType type))
        {
            if (field != 8)
            {
                reader.Skip(type);
                continue;
            }
            WireReader.Demand(field, type, WireType.Bytes);
            ReadOnlySequence<byte> value = reader.Bytes();
            if (values.Count < count) values.Add(value.ToArray());
        }
        byte[] last = values.Count > 0 ? values[^1] : [];
        while (values.Count < count) values.Add(last);
        return values;
    }

    private static List<byte[]> ReadContent(in ReadOnlySequence<byte> content, int count, Func<string, ServingException> refuse)
    {
        var reader = new WireReader(content);
        var lengths = new List<long>(Math.Min(count, 1024));
        long total = 0;
        for (int i = 0; i < count; i++)
        {
            ulong length = reader.Varint();
            if (length > (ulong)content.Length) throw refuse("a string of its content is longer than it");
            lengths.Add((long)length);
            total += (long)length;
        }
        if (total != reader.Remaining) throw refuse("the strings of its content do not fill it");
        ReadOnlySequence<byte> rest = content.Slice(content.Length - reader.Remaining);
        var values = new List<byte[]>(count);
        foreach (long length in lengths)
        {
            values.Add(rest.Slice(0, length).ToArray());
            rest = rest.Slice(length);
        }
        return values;
    }
}

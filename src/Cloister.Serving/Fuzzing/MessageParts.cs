using System.Buffers;

namespace Cloister.Serving.Fuzzing;

/// <summary>A message in parts, as a connection gives it.</summary>
internal sealed class MessageParts : ReadOnlySequenceSegment<byte>
{
    private MessageParts(ReadOnlyMemory<byte> memory, long before) => (Memory, RunningIndex) = (memory, before);

    /// <summary>Cuts a message into parts of <paramref name="length"/> bytes; 0 leaves it whole.</summary>
    public static ReadOnlySequence<byte> Cut(ReadOnlySpan<byte> message, int length)
    {
        byte[] bytes = message.ToArray();
        if (length == 0 || length >= bytes.Length) return new ReadOnlySequence<byte>(bytes);
        var first = new MessageParts(bytes.AsMemory(0, length), 0);
        MessageParts last = first;
        for (int at = length; at < bytes.Length; at += length)
        {
            var next = new MessageParts(bytes.AsMemory(at, Math.Min(length, bytes.Length - at)), at);
            last.Next = next;
            last = next;
        }
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }
}

using System.Buffers.Binary;
using System.Text;

namespace Cloister.Partitioning.Runner.Wire;

/// <summary>Shared memory: so many slots one behind the other, each with room for the inputs and behind it room for the outputs of a run.</summary>
/// <param name="Slots">Slots, 1 to <see cref="Greeting.MaximumDepth"/>.</param>
/// <param name="InputBytes">Room for the inputs of a run, a multiple of <see cref="Page"/>.</param>
/// <param name="OutputBytes">Room for its outputs, a multiple of <see cref="Page"/>.</param>
/// <param name="Name">32 lower-case hex digits; the file is <c>/dev/shm/cloister-</c> and this.</param>
internal readonly record struct MemoryOffer(int Slots, long InputBytes, long OutputBytes, string Name)
{
    public const int Size = 52;
    public const int Page = 4096;

    private const int NameSize = 32;
    private const long MaximumBytes = 16L << 30;

    /// <summary>Bytes of all slots.</summary>
    public long TotalBytes => Slots * (InputBytes + OutputBytes);

    public byte[] Write()
    {
        byte[] bytes = new byte[Size];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)Slots);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(4), (ulong)InputBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(12), (ulong)OutputBytes);
        Encoding.ASCII.GetBytes(Name, bytes.AsSpan(20));
        return bytes;
    }

    /// <exception cref="WireException"><see cref="AcceleratorFault.BadFrame"/>.</exception>
    public static MemoryOffer Read(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        uint slots = reader.UInt32();
        ulong inputs = reader.UInt64(), outputs = reader.UInt64();
        ReadOnlySpan<byte> name = reader.Take(NameSize);
        reader.End();
        if (slots is 0 or > Greeting.MaximumDepth || !IsRoom(inputs) || !IsRoom(outputs) || slots * (inputs + outputs) > MaximumBytes)
            throw new WireException(AcceleratorFault.BadFrame, $"{slots} slots of {inputs} and {outputs} bytes are no shared memory.");
        if (!Encoding.ASCII.GetString(name).All(char.IsAsciiHexDigitLower))
            throw new WireException(AcceleratorFault.BadFrame, "The name of shared memory is not of 32 lower-case hex digits.");
        return new MemoryOffer((int)slots, (long)inputs, (long)outputs, Encoding.ASCII.GetString(name));
    }

    private static bool IsRoom(ulong bytes) => bytes > 0 && bytes % Page == 0 && bytes <= FrameHeader.MaximumTensorFrame;
}

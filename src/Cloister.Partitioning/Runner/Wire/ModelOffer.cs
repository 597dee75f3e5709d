using System.Buffers.Binary;

namespace Cloister.Partitioning.Runner.Wire;

/// <summary>The model that the connection is for.</summary>
/// <param name="Digest">SHA-256 of its bytes.</param>
/// <param name="Length">How many they are.</param>
internal readonly record struct ModelOffer(byte[] Digest, long Length)
{
    public const int Size = 40;

    public byte[] Write()
    {
        byte[] bytes = new byte[Size];
        Digest.CopyTo(bytes, 0);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(32), (ulong)Length);
        return bytes;
    }

    /// <exception cref="WireException"><see cref="AcceleratorFault.BadFrame"/>.</exception>
    public static ModelOffer Read(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        byte[] digest = reader.Take(32).ToArray();
        ulong length = reader.UInt64();
        reader.End();
        return length is > 0 and <= int.MaxValue
            ? new ModelOffer(digest, (long)length)
            : throw new WireException(AcceleratorFault.BadFrame, $"A model of {length} bytes is offered; it has 1 byte to 2 GiB.");
    }
}

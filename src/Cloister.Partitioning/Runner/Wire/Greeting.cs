using System.Buffers.Binary;

namespace Cloister.Partitioning.Runner.Wire;

/// <summary>What both sides say first: that they speak this protocol, and what the accelerator takes.</summary>
/// <param name="Depth">Runs of this connection that may be unanswered at once, 1 to <see cref="MaximumDepth"/>.</param>
/// <param name="MaximumModelBytes">Bytes of a model.</param>
/// <param name="MaximumRunBytes">Bytes of the tensors of a run, in or out.</param>
internal readonly record struct Greeting(int Depth, long MaximumModelBytes, long MaximumRunBytes)
{
    public const ushort Version = 1;
    public const int HelloSize = 12;
    public const int WelcomeSize = 32;
    public const int MaximumDepth = 1024;

    private static ReadOnlySpan<byte> Magic => "cloi-acc"u8;

    public static byte[] Hello()
    {
        byte[] bytes = new byte[HelloSize];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), Version);
        return bytes;
    }

    /// <exception cref="WireException"><see cref="AcceleratorFault.WrongProtocol"/>.</exception>
    public static void ReadHello(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        ReadVersion(ref reader);
        reader.End();
    }

    public byte[] Welcome()
    {
        byte[] bytes = new byte[WelcomeSize];
        Hello().CopyTo(bytes, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), (uint)Depth);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), (ulong)MaximumModelBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), (ulong)MaximumRunBytes);
        return bytes;
    }

    /// <exception cref="WireException"><see cref="AcceleratorFault.WrongProtocol"/>, or <see cref="AcceleratorFault.BadFrame"/> for limits that are none.</exception>
    public static Greeting ReadWelcome(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        ReadVersion(ref reader);
        uint depth = reader.UInt32();
        ulong model = reader.UInt64(), run = reader.UInt64();
        reader.End();
        if (depth is 0 or > MaximumDepth || model is 0 or > long.MaxValue || run is 0 or > long.MaxValue)
            throw new WireException(AcceleratorFault.BadFrame, $"The accelerator names the limits {depth}, {model} and {run}.");
        return new Greeting((int)depth, (long)model, (long)run);
    }

    private static void ReadVersion(ref WireReader reader)
    {
        if (!reader.Take(8).SequenceEqual(Magic))
            throw new WireException(AcceleratorFault.WrongProtocol, "The other side speaks another protocol.");
        ushort version = reader.UInt16(), reserved = reader.UInt16();
        if (version != Version || reserved != 0)
            throw new WireException(AcceleratorFault.WrongProtocol, $"The other side speaks version {version} of the protocol; this is version {Version}.");
    }
}

namespace Cloister.Onnx.Model;

/// <summary>
/// One message of onnx.proto, immutable. A message that was read and not changed is written back byte for byte; a changed one
/// (<c>with { ... }</c>) is written in field order, and its unchanged children still byte for byte.
/// </summary>
public abstract record OnnxMessage
{
    private protected OnnxMessage()
    {
    }

    /// <summary>Copies what a changed message keeps: its unknown fields, not the bytes it was read from.</summary>
    protected OnnxMessage(OnnxMessage original) => UnknownFields = original.UnknownFields;

    /// <summary>Fields that this library does not know, tag and value, byte for byte in their order.</summary>
    public ReadOnlyMemory<byte> UnknownFields { get; init; }

    internal ReadOnlyMemory<byte>? Origin { get; init; }

    internal abstract void WriteFields(ProtoWriter writer);
}

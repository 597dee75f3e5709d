using System.Buffers.Binary;

namespace Cloister.Coordinator.Sgx;

/// <summary>
/// A quote as MarbleRun's premain sends it: alone, or after Open Enclave's header (u32 version 1, u32 type 2 of remote reports, u64 length; little-endian).
/// </summary>
internal static class OeQuote
{
    public const int HeaderSize = 16;
    private const uint HeaderVersion = 1, RemoteReport = 2;

    /// <summary>The quote itself, a slice of the input; null with the reason where the header contradicts what follows.</summary>
    public static ReadOnlyMemory<byte>? Unwrap(ReadOnlyMemory<byte> bytes, out string reason)
    {
        ReadOnlySpan<byte> span = bytes.Span;
        reason = "";
        // A quote begins with a 16-bit version and key type, which together are never the 32-bit number 1.
        if (span.Length < HeaderSize || BinaryPrimitives.ReadUInt32LittleEndian(span) != HeaderVersion)
            return bytes;
        if (BinaryPrimitives.ReadUInt32LittleEndian(span[4..]) != RemoteReport)
        {
            reason = "Open Enclave's header is not that of a remote report";
            return null;
        }
        if (BinaryPrimitives.ReadUInt64LittleEndian(span[8..]) != (ulong)(span.Length - HeaderSize))
        {
            reason = "Open Enclave's header states another length than follows it";
            return null;
        }
        return bytes[HeaderSize..];
    }

    /// <summary>Fuzz target: what is unwrapped is a slice of the input, or refused with a reason.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        ReadOnlyMemory<byte>? quote = Unwrap(bytes.ToArray(), out string reason);
        if (quote is null ? reason.Length == 0 : quote.Value.Length > bytes.Length)
            throw new InvalidOperationException("A quote was refused without a reason, or grew.");
    }
}

using System.Security.Cryptography;

namespace Cloister.Protocol.Manifest;

/// <summary>A manifest's name: SHA-256 over the exact bytes that were set, 64 lower-case hex digits.</summary>
public static class ManifestFingerprint
{
    /// <summary>The fingerprint of a manifest's bytes.</summary>
    public static string Of(ReadOnlySpan<byte> manifest) => Convert.ToHexStringLower(SHA256.HashData(manifest));

    /// <summary>Whether a text is a fingerprint: 64 lower-case hex digits.</summary>
    public static bool IsValid(string? text)
    {
        if (text is not { Length: 64 }) return false;
        foreach (char c in text)
            if (!char.IsAsciiHexDigitLower(c)) return false;
        return true;
    }
}

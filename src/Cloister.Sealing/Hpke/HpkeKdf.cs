using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>LabeledExtract and LabeledExpand of RFC 9180, 4, over HKDF-SHA256.</summary>
internal static class HpkeKdf
{
    public const int HashSize = 32;

    public static SecretBytes Extract(ReadOnlySpan<byte> suiteId, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> label, ReadOnlySpan<byte> keyMaterial)
    {
        SecretBytes labeled = Concatenate("HPKE-v1"u8, suiteId, label, keyMaterial);
        SecretBytes extracted = SecretBytes.Empty(HashSize);
        using (labeled)
            HKDF.Extract(HashAlgorithmName.SHA256, labeled.Span, salt, extracted.Writable);
        return extracted;
    }

    /// <param name="suiteId">suite_id of the KEM or of the context.</param>
    /// <param name="secret">A pseudorandom key.</param>
    /// <param name="label">The label.</param>
    /// <param name="info">What the output is bound to.</param>
    /// <param name="length">Bytes, at most 255 * 32.</param>
    public static SecretBytes Expand(ReadOnlySpan<byte> suiteId, SecretBytes secret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> info, int length)
    {
        Span<byte> size = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(size, checked((ushort)length));
        SecretBytes expanded = SecretBytes.Empty(length);
        using SecretBytes labeled = Concatenate([.. size, .. "HPKE-v1"u8], suiteId, label, info);
        if (length > 0)
            HKDF.Expand(HashAlgorithmName.SHA256, secret.Span, expanded.Writable, labeled.Span);
        return expanded;
    }

    private static SecretBytes Concatenate(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, ReadOnlySpan<byte> c, ReadOnlySpan<byte> d)
    {
        SecretBytes all = SecretBytes.Empty(checked(a.Length + b.Length + c.Length + d.Length));
        a.CopyTo(all.Writable);
        b.CopyTo(all.Writable[a.Length..]);
        c.CopyTo(all.Writable[(a.Length + b.Length)..]);
        d.CopyTo(all.Writable[(a.Length + b.Length + c.Length)..]);
        return all;
    }
}

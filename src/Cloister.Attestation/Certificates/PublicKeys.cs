using System.Numerics;

namespace Cloister.Attestation.Certificates;

/// <summary>Tells the kind of a key from its SubjectPublicKeyInfo (RFC 5280, 4.1.2.7; RFC 5480; RFC 8017).</summary>
internal static class PublicKeys
{
    private const int MinimumRsaBits = 2048, MaximumRsaBits = 8192;

    /// <summary>The kind and size of a key; <see cref="PublicKeyKind.None"/> if it is not accepted. Says nothing about a point being on its curve.</summary>
    /// <param name="content">The content of the SubjectPublicKeyInfo.</param>
    public static (PublicKeyKind Kind, int Bits) KindOf(ReadOnlyMemory<byte> content)
    {
        var reader = new DerReader(content);
        if (!reader.TryReadInto(DerReader.Sequence, out DerReader algorithm) || !algorithm.TryRead(DerReader.ObjectIdentifier, out ReadOnlyMemory<byte> oid)
            || !reader.TryReadOctetsOfBitString(out ReadOnlyMemory<byte> key) || !reader.IsEmpty) return default;
        if (oid.Span.SequenceEqual(Oids.EcPublicKey))
        {
            if (!algorithm.TryRead(DerReader.ObjectIdentifier, out ReadOnlyMemory<byte> curve) || !algorithm.IsEmpty || key.Length < 1 || key.Span[0] != 4) return default;
            if (curve.Span.SequenceEqual(Oids.P256) && key.Length == 1 + 2 * 32) return (PublicKeyKind.P256, 256);
            return curve.Span.SequenceEqual(Oids.P384) && key.Length == 1 + 2 * 48 ? (PublicKeyKind.P384, 384) : default;
        }
        return oid.Span.SequenceEqual(Oids.RsaEncryption) && algorithm.TryRead(DerReader.Null, out _) && algorithm.IsEmpty ? KindOfRsa(key) : default;
    }

    private static (PublicKeyKind Kind, int Bits) KindOfRsa(ReadOnlyMemory<byte> key)
    {
        var reader = new DerReader(key);
        if (!reader.TryReadInto(DerReader.Sequence, out DerReader pair) || !reader.IsEmpty
            || !pair.TryReadInteger(out ReadOnlyMemory<byte> modulus) || !pair.TryReadInt32(out int exponent) || !pair.IsEmpty || modulus.Span[0] >= 0x80) return default;
        ReadOnlySpan<byte> digits = modulus.Span[(modulus.Span[0] == 0 ? 1 : 0)..];
        if (digits.IsEmpty) return default;
        int bits = digits.Length * 8 - BitOperations.LeadingZeroCount((uint)digits[0]) + 24;
        return bits is >= MinimumRsaBits and <= MaximumRsaBits && exponent >= 3 && (exponent & 1) == 1 && (digits[^1] & 1) == 1 ? (PublicKeyKind.Rsa, bits) : default;
    }
}

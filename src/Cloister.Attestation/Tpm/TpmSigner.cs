using System.Security.Cryptography;
using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.Tpm;

/// <summary>An attestation key, imported once.</summary>
internal sealed class TpmSigner : IDisposable
{
    private const int MinimumRsaBits = 2048;

    // TPM_RH_ENDORSEMENT, TPM_RH_OWNER, TPM_RH_PLATFORM: the name of a hierarchy is its handle.
    private static readonly (uint Handle, string Name)[] Hierarchies = [(0x4000000B, "endorsement"), (0x40000001, "owner"), (0x4000000C, "platform")];

    private readonly RSA? _rsa;
    private readonly ECDsa? _ecdsa;
    private (byte[] QualifiedName, string? Hierarchy) _place = ([], null);

    private TpmSigner(RSA? rsa, ECDsa? ecdsa) => (_rsa, _ecdsa) = (rsa, ecdsa);

    /// <summary>What it is, such as <c>rsa-2048</c> or <c>ecc-256</c>.</summary>
    public string Algorithm => _rsa is not null ? $"rsa-{_rsa.KeySize}" : $"ecc-{_ecdsa!.KeySize}";

    /// <summary>The key of a public area; null if its point is not on its curve or its modulus is too short.</summary>
    public static TpmSigner? Import(TpmPublic key)
    {
        try
        {
            return key.Type == TpmAlgorithm.Rsa
                ? key.First.Length * 8 < MinimumRsaBits ? null : new TpmSigner(RSA.Create(new RSAParameters { Modulus = key.First.ToArray(), Exponent = ExponentOf(key.Exponent) }), null)
                : new TpmSigner(null, ECDsa.Create(new ECParameters
                {
                    Curve = CurveOf(key.Curve),
                    Q = new ECPoint { X = Padded(key.First.Span, key.CoordinateSize), Y = Padded(key.Second.Span, key.CoordinateSize) },
                }));
        }
        catch (Exception unusable) when (unusable is CryptographicException or PlatformNotSupportedException)
        {
            return null; // .NET says "platform not supported" where OpenSSL finds the point off the curve
        }
    }

    /// <summary>The key of a SubjectPublicKeyInfo; null if it is not RSA of at least 2048 bits or on P-256 or P-384.</summary>
    public static TpmSigner? Import(ReadOnlyMemory<byte> subjectPublicKeyInfo)
    {
        var outer = new DerReader(subjectPublicKeyInfo);
        if (!outer.TryRead(DerReader.Sequence, out ReadOnlyMemory<byte> content) || !outer.IsEmpty) return null;
        PublicKeyKind kind = PublicKeys.KindOf(content).Kind;
        AsymmetricAlgorithm? key = kind switch
        {
            PublicKeyKind.Rsa => RSA.Create(),
            PublicKeyKind.P256 or PublicKeyKind.P384 => ECDsa.Create(),
            _ => null,
        };
        try
        {
            key?.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo.Span, out _);
            return key is null ? null : new TpmSigner(key as RSA, key as ECDsa);
        }
        catch (Exception unusable) when (unusable is CryptographicException or PlatformNotSupportedException)
        {
            key?.Dispose();
            return null;
        }
    }

    /// <summary>The key as DER SubjectPublicKeyInfo.</summary>
    public byte[] SubjectPublicKeyInfo() => _rsa?.ExportSubjectPublicKeyInfo() ?? _ecdsa!.ExportSubjectPublicKeyInfo();

    /// <summary>Checks a signature over the bytes of a statement.</summary>
    public bool Verify(ReadOnlySpan<byte> statement, TpmSignature signature)
    {
        Span<byte> digest = stackalloc byte[TpmHash.MaximumSize];
        digest = digest[..TpmHash.Hash(signature.Hash, statement, digest)];
        HashAlgorithmName hash = TpmHash.PlatformName(signature.Hash);
        if (_ecdsa is not null)
        {
            int size = (_ecdsa.KeySize + 7) / 8;
            if (signature.Scheme != TpmAlgorithm.EcDsa || signature.First.Length > size || signature.Second.Length > size) return false;
            Span<byte> joined = stackalloc byte[2 * size];
            joined.Clear();
            signature.First.Span.CopyTo(joined[(size - signature.First.Length)..]);
            signature.Second.Span.CopyTo(joined[(2 * size - signature.Second.Length)..]);
            return _ecdsa.VerifyHash(digest, joined, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        if (signature.Scheme == TpmAlgorithm.EcDsa || signature.First.Length * 8 != _rsa!.KeySize) return false;
        // The salt must be as long as the hash (TPM 2.0 Library part 1, B.7, as FIPS 186-4 has it); older TPMs filled the block with it.
        RSASignaturePadding padding = signature.Scheme == TpmAlgorithm.RsaSsa ? RSASignaturePadding.Pkcs1 : RSASignaturePadding.Pss;
        return _rsa.VerifyHash(digest, signature.First.Span, hash, padding);
    }

    /// <summary>The hierarchy whose primary key it is by its qualified name; null if it is below another key.</summary>
    public string? HierarchyOf(TpmPublic key, ReadOnlySpan<byte> qualifiedName)
    {
        if (_place.QualifiedName.AsSpan().SequenceEqual(qualifiedName)) return _place.Hierarchy;
        string? found = null;
        foreach ((uint handle, string name) in Hierarchies)
            if (TpmLayout.IsPrimaryOf(handle, key, qualifiedName)) found = name;
        _place = (qualifiedName.ToArray(), found);
        return found;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _rsa?.Dispose();
        _ecdsa?.Dispose();
    }

    internal static ECCurve CurveOf(TpmCurve curve) => curve switch
    {
        TpmCurve.NistP256 => ECCurve.NamedCurves.nistP256,
        TpmCurve.NistP384 => ECCurve.NamedCurves.nistP384,
        TpmCurve.NistP521 => ECCurve.NamedCurves.nistP521,
        _ => throw new ArgumentOutOfRangeException(nameof(curve), curve, "Not a curve."),
    };

    internal static byte[] Padded(ReadOnlySpan<byte> value, int size)
    {
        var padded = new byte[size];
        value.CopyTo(padded.AsSpan(size - value.Length));
        return padded;
    }

    private static byte[] ExponentOf(uint exponent)
    {
        var bytes = new byte[sizeof(uint)];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes, exponent);
        return bytes[Array.FindIndex(bytes, b => b != 0)..];
    }
}

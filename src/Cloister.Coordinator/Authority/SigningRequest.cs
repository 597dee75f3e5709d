using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Coordinator.Authority;

/// <summary>A PKCS#10 request whose signature was checked: the key that asks and the names it asks for. Everything else in it is ignored.</summary>
internal sealed record SigningRequest(PublicKey Key, ReadOnlyMemory<byte> SubjectPublicKeyInfo, SubjectNames Names)
{
    internal const int MaxBytes = 16 << 10, MaxNames = 64, MaxNameLength = 253;
    private const string Malformed = "the certificate request is malformed or its signature does not verify";
    private const string EcPublicKey = "1.2.840.10045.2.1", SubjectAlternativeName = "2.5.29.17";

    // Named curves as they stand in a key's parameters (RFC 5480, 2.1.1): the DER of the OIDs of P-256 and P-384.
    private static readonly byte[] P256 = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07], P384 = [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22];

    /// <summary>
    /// Reads DER; a refusal comes back as null with the reason. Where the key is that of <paramref name="connection"/>, whose proof of it the
    /// handshake took, it is not imported again: on P-384 that costs more than the signature's verification.
    /// </summary>
    public static SigningRequest? Read(ReadOnlySpan<byte> der, X509Certificate2? connection, out string reason)
    {
        if (der.Length > MaxBytes)
            return Refuse($"the certificate request has {der.Length} bytes, more than {MaxBytes}", out reason);
        try
        {
            byte[] bytes = der.ToArray();
            CertificateRequest request = CertificateRequest.LoadSigningRequest(bytes, HashAlgorithmName.SHA384,
                CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions | CertificateRequestLoadOptions.SkipSignatureValidation);
            if (!OnAllowedCurve(request.PublicKey))
                return Refuse("the certificate request's key is not ECDSA P-256 or P-384", out reason);
            byte[] key = request.PublicKey.ExportSubjectPublicKeyInfo();
            return IsSigned(bytes, request.PublicKey, key, connection)
                ? ReadNames(request, key, out reason)
                : Refuse(Malformed, out reason);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException or InvalidOperationException or NotSupportedException or AsnContentException)
        {
            return Refuse(Malformed, out reason);
        }
    }

    /// <summary>Fuzz target: any bytes give a request or a reason.</summary>
    public static void Fuzz(ReadOnlySpan<byte> der)
    {
        if (Read(der, null, out string reason) is null && reason.Length == 0)
            throw new InvalidOperationException("A request was refused without a reason.");
    }

    // RFC 2986, 4.2: the signature is over the first element as it is encoded.
    private static bool IsSigned(ReadOnlyMemory<byte> der, PublicKey publicKey, ReadOnlySpan<byte> keyInfo, X509Certificate2? connection)
    {
        AsnReader request = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        ReadOnlySpan<byte> signed = request.ReadEncodedValue().Span;
        HashAlgorithmName? hash = request.ReadSequence().ReadObjectIdentifier() switch
        {
            "1.2.840.10045.4.3.2" => HashAlgorithmName.SHA256,
            "1.2.840.10045.4.3.3" => HashAlgorithmName.SHA384,
            "1.2.840.10045.4.3.4" => HashAlgorithmName.SHA512,
            _ => null,
        };
        byte[] signature = request.ReadBitString(out int unused);
        request.ThrowIfNotEmpty();
        bool proven = connection is not null && connection.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(keyInfo);
        using ECDsa? key = proven ? connection!.GetECDsaPublicKey() : publicKey.GetECDsaPublicKey();
        return hash is { } algorithm && unused == 0 && key is not null && key.VerifyData(signed, signature, algorithm, DSASignatureFormat.Rfc3279DerSequence);
    }

    // That the point lies on the curve was found when the key was imported, here or from the connection's certificate.
    private static bool OnAllowedCurve(PublicKey key) => key.Oid.Value == EcPublicKey
        && key.EncodedParameters?.RawData is { } curve && (curve.AsSpan().SequenceEqual(P256) || curve.AsSpan().SequenceEqual(P384));

    private static SigningRequest? ReadNames(CertificateRequest request, byte[] key, out string reason)
    {
        SubjectNames names = SubjectNames.None;
        X509Extension[] found = [.. request.CertificateExtensions.Where(extension => extension.Oid?.Value == SubjectAlternativeName)];
        if (found.Length > 1)
            return Refuse("the certificate request names its subject twice", out reason);
        if (found.Length == 1)
        {
            var extension = new X509SubjectAlternativeNameExtension(found[0].RawData, critical: false);
            ImmutableArray<string> dns = [.. extension.EnumerateDnsNames().Take(MaxNames + 1)];
            ImmutableArray<IPAddress> addresses = [.. extension.EnumerateIPAddresses().Take(MaxNames + 1)];
            if (dns.Length + addresses.Length > MaxNames)
                return Refuse($"the certificate request asks for more than {MaxNames} names", out reason);
            if (dns.Any(name => !IsHostName(name)))
                return Refuse("the certificate request asks for a DNS name that is none", out reason);
            names = new SubjectNames(dns, addresses);
        }
        reason = "";
        return new SigningRequest(request.PublicKey, key, names);
    }

    private static bool IsHostName(string name) =>
        name.Length is > 0 and <= MaxNameLength && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '*');

    private static SigningRequest? Refuse(string why, out string reason)
    {
        reason = why;
        return null;
    }
}

using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Cloister.Attestation.Certificates;

/// <summary>
/// Reads X.509 certificates (RFC 5280, version 3, DER) from hostile bytes. It reads and refuses what is out of form; whether a
/// certificate is genuine is <see cref="CertificateChainCheck"/>'s to say.
/// </summary>
public static class CertificateParser
{
    /// <summary>Largest certificate that is read.</summary>
    public const int MaximumSize = 16 * 1024;

    /// <summary>Most extensions of one certificate.</summary>
    public const int MaximumExtensions = 64;

    /// <summary>Most certificates of one PEM text.</summary>
    public const int MaximumPemCertificates = 16;

    private const int MaximumCommonName = 128;

    /// <summary>Reads one DER certificate with nothing behind it. The result keeps a reference to the bytes.</summary>
    public static Outcome<Certificate> Parse(ReadOnlyMemory<byte> der)
    {
        if (der.Length > MaximumSize) return Refuse("certificate", $"{der.Length} bytes; at most {MaximumSize} are read");
        var reader = new DerReader(der);
        if (!reader.TryReadInto(DerReader.Sequence, out DerReader outer) || !reader.IsEmpty) return Refuse("certificate", "not one DER certificate");
        if (!outer.TryRead(DerReader.Sequence, out ReadOnlyMemory<byte> tbsContent, out ReadOnlyMemory<byte> tbs)
            || !outer.TryRead(DerReader.Sequence, out ReadOnlyMemory<byte> algorithm)
            || !outer.TryReadOctetsOfBitString(out ReadOnlyMemory<byte> signature) || !outer.IsEmpty) return Refuse("certificate", "it is not a SEQUENCE of content, algorithm and signature");

        var body = new DerReader(tbsContent);
        if (!body.TryReadInto(DerReader.Context(0), out DerReader versionField) || !versionField.TryReadInt32(out int version) || !versionField.IsEmpty || version != 2) return Refuse("version", "not X.509 version 3");
        if (!body.TryReadInteger(out ReadOnlyMemory<byte> serial)) return Refuse("serialNumber", "not an INTEGER");
        if (!body.TryRead(DerReader.Sequence, out ReadOnlyMemory<byte> innerAlgorithm) || !innerAlgorithm.Span.SequenceEqual(algorithm.Span)) return Refuse("signature", "the signed algorithm is not the outer one");
        if (!body.TryRead(DerReader.Sequence, out ReadOnlyMemory<byte> issuerContent, out ReadOnlyMemory<byte> issuer) || !TryReadName(issuerContent, out string? issuerName)) return Refuse("issuer", "not a name");
        if (!body.TryReadInto(DerReader.Sequence, out DerReader validity) || !validity.TryReadTime(out DateTimeOffset notBefore) || !validity.TryReadTime(out DateTimeOffset notAfter) || !validity.IsEmpty) return Refuse("validity", "not two times");
        if (!body.TryRead(DerReader.Sequence, out ReadOnlyMemory<byte> subjectContent, out ReadOnlyMemory<byte> subject) || !TryReadName(subjectContent, out string? subjectName)) return Refuse("subject", "not a name");
        if (!body.TryRead(DerReader.Sequence, out ReadOnlyMemory<byte> keyContent, out ReadOnlyMemory<byte> key)) return Refuse("subjectPublicKeyInfo", "not a key");
        (PublicKeyKind kind, int bits) = PublicKeys.KindOf(keyContent);
        if (!body.TryReadInto(DerReader.Context(3), out DerReader extensionsField) || !extensionsField.TryReadInto(DerReader.Sequence, out DerReader extensionList) || !extensionsField.IsEmpty || !body.IsEmpty)
            return Refuse("extensions", "missing, or something follows them");
        if (!TryReadExtensions(ref extensionList, out ImmutableArray<CertificateExtension> extensions)) return Refuse("extensions", "not a list of different extensions");
        if (!TryReadConstraints(extensions, out bool isAuthority, out int? pathLength)) return Refuse("basicConstraints", "not of its form");
        if (!TryReadKeyUsage(extensions, out int? keyUsage)) return Refuse("keyUsage", "not of its form");
        return Outcome.Accept(new Certificate
        {
            Encoded = der,
            Signed = tbs,
            SignatureAlgorithm = SignatureAlgorithms.Parse(algorithm),
            Signature = signature,
            SerialNumber = serial,
            Issuer = issuer,
            Subject = subject,
            IssuerCommonName = issuerName,
            SubjectCommonName = subjectName,
            NotBefore = notBefore,
            NotAfter = notAfter,
            SubjectPublicKeyInfo = key,
            KeyKind = kind,
            KeyBits = bits,
            IsAuthority = isAuthority,
            PathLength = pathLength,
            KeyUsage = keyUsage,
            Extensions = extensions,
        });
    }

    /// <summary>Reads the certificates of a PEM text (RFC 7468) in order; between them stands white space or NUL alone.</summary>
    public static Outcome<ImmutableArray<Certificate>> ParsePem(ReadOnlySpan<byte> pem)
    {
        var certificates = ImmutableArray.CreateBuilder<Certificate>();
        ReadOnlySpan<byte> rest = pem[Blank(pem)..];
        while (!rest.IsEmpty)
        {
            if (certificates.Count == MaximumPemCertificates) return RefusePem($"more than {MaximumPemCertificates} certificates");
            if (!PemEncoding.TryFindUtf8(rest, out PemFields fields) || fields.Location.Start.Value != 0 || !rest[fields.Label].SequenceEqual("CERTIFICATE"u8)) return RefusePem("not PEM certificates alone");
            if (fields.DecodedDataLength > MaximumSize) return RefusePem($"a certificate over {MaximumSize} bytes");
            byte[] der = new byte[fields.DecodedDataLength];
            if (System.Buffers.Text.Base64.DecodeFromUtf8(rest[fields.Base64Data], der, out _, out int written) != System.Buffers.OperationStatus.Done || written != der.Length) return RefusePem("not base64");
            Outcome<Certificate> one = Parse(der);
            if (!one.IsAccepted) return one.RefuseAs<ImmutableArray<Certificate>>();
            certificates.Add(one.Value);
            rest = rest[fields.Location.End.Value..];
            rest = rest[Blank(rest)..];
        }
        return certificates.Count == 0 ? RefusePem("no certificate") : Outcome.Accept(certificates.ToImmutable());
    }

    /// <summary>Reads one certificate, DER or PEM.</summary>
    public static Outcome<Certificate> ParseAny(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > 0 && bytes.Span[0] == DerReader.Sequence) return Parse(bytes);
        Outcome<ImmutableArray<Certificate>> all = ParsePem(bytes.Span);
        if (!all.IsAccepted) return all.RefuseAs<Certificate>();
        return all.Value.Length == 1 ? Outcome.Accept(all.Value[0]) : Refuse("certificate", $"{all.Value.Length} certificates where one is meant");
    }

    /// <summary>Fuzz target: an accepted certificate's parts lie within it and say what was read.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        byte[] copy = bytes.ToArray();
        if (Parse(copy).TryGetValue(out Certificate? certificate) && (!certificate.Encoded.Span.SequenceEqual(bytes) || certificate.Encoded.Span.IndexOf(certificate.Signed.Span) < 0))
            throw new InvalidOperationException("A certificate with parts from elsewhere.");
        _ = ParsePem(copy).IsAccepted;
    }

    /// <summary>Reads a list of extensions, none of which stands twice (RFC 5280, 4.2).</summary>
    internal static bool TryReadExtensions(ref DerReader list, out ImmutableArray<CertificateExtension> extensions)
    {
        extensions = [];
        var read = ImmutableArray.CreateBuilder<CertificateExtension>();
        while (!list.IsEmpty)
        {
            if (read.Count == MaximumExtensions || !list.TryReadInto(DerReader.Sequence, out DerReader one) || !TryReadExtension(ref one, out CertificateExtension extension)) return false;
            foreach (CertificateExtension earlier in read)
                if (earlier.Oid.Span.SequenceEqual(extension.Oid.Span)) return false;
            read.Add(extension);
        }
        extensions = read.DrainToImmutable();
        return extensions.Length > 0;
    }

    internal static bool TryReadExtension(ref DerReader one, out CertificateExtension extension)
    {
        extension = default;
        bool critical = false;
        if (!one.TryRead(DerReader.ObjectIdentifier, out ReadOnlyMemory<byte> oid) || oid.IsEmpty) return false;
        // FALSE is the default and therefore not written (DER), yet some authorities write it; it means the same.
        if (one.NextTag == DerReader.Boolean && !one.TryReadBoolean(out critical)) return false;
        if (!one.TryRead(DerReader.OctetString, out ReadOnlyMemory<byte> value) || !one.IsEmpty) return false;
        extension = new CertificateExtension(oid, critical, value);
        return true;
    }

    internal static bool TryReadName(ReadOnlyMemory<byte> content, out string? commonName)
    {
        commonName = null;
        int found = 0;
        var names = new DerReader(content);
        while (!names.IsEmpty)
        {
            if (!names.TryReadInto(DerReader.Set, out DerReader set) || set.IsEmpty) return false;
            while (!set.IsEmpty)
            {
                if (!set.TryReadInto(DerReader.Sequence, out DerReader pair) || !pair.TryRead(DerReader.ObjectIdentifier, out ReadOnlyMemory<byte> oid)
                    || !pair.TryReadAny(out byte tag, out ReadOnlyMemory<byte> text) || !pair.IsEmpty) return false;
                if (!oid.Span.SequenceEqual(Oids.CommonName)) continue;
                bool readable = ++found == 1 && text.Length <= MaximumCommonName && tag is DerReader.Utf8String or DerReader.PrintableString or DerReader.Ia5String && Ascii.IsValid(text.Span);
                commonName = readable ? Encoding.ASCII.GetString(text.Span) : null;
            }
        }
        return true;
    }

    private static bool TryReadConstraints(ImmutableArray<CertificateExtension> extensions, out bool isAuthority, out int? pathLength)
    {
        (isAuthority, pathLength) = (false, null);
        if (Find(extensions, Oids.BasicConstraints) is not { } value) return true;
        var reader = new DerReader(value);
        if (!reader.TryReadInto(DerReader.Sequence, out DerReader constraints) || !reader.IsEmpty) return false;
        if (constraints.NextTag == DerReader.Boolean && !constraints.TryReadBoolean(out isAuthority)) return false;
        if (constraints.IsEmpty) return true;
        if (!constraints.TryReadInt32(out int length) || !constraints.IsEmpty) return false;
        pathLength = length;
        return true;
    }

    private static bool TryReadKeyUsage(ImmutableArray<CertificateExtension> extensions, out int? usage)
    {
        usage = null;
        if (Find(extensions, Oids.KeyUsage) is not { } value) return true;
        var reader = new DerReader(value);
        if (!reader.TryRead(DerReader.BitString, out ReadOnlyMemory<byte> content) || !reader.IsEmpty || content.Length is < 1 or > 3 || content.Span[0] > 7) return false;
        int bits = 0;
        for (int i = 0; i < (content.Length - 1) * 8; i++)
            if ((content.Span[1 + i / 8] & 0x80 >> i % 8) != 0) bits |= 1 << i;
        usage = bits;
        return true;
    }

    private static ReadOnlyMemory<byte>? Find(ImmutableArray<CertificateExtension> extensions, ReadOnlySpan<byte> oid)
    {
        foreach (CertificateExtension extension in extensions)
            if (extension.Oid.Span.SequenceEqual(oid)) return extension.Value;
        return null;
    }

    private static int Blank(ReadOnlySpan<byte> text)
    {
        int at = text.IndexOfAnyExcept(" \t\r\n\0"u8);
        return at < 0 ? text.Length : at;
    }

    private static Outcome<Certificate> Refuse(string field, string reason) => Outcome.Refuse<Certificate>(Refusal.CertificateMalformed, field, reason);

    private static Outcome<ImmutableArray<Certificate>> RefusePem(string reason) => Outcome.Refuse<ImmutableArray<Certificate>>(Refusal.CertificateMalformed, "pem", reason);
}

using System.Collections.Immutable;

namespace Cloister.Attestation.Certificates;

/// <summary>Reads certificate revocation lists (RFC 5280, 5, version 2, DER) from hostile bytes.</summary>
public static class CrlParser
{
    /// <summary>Largest list that is read.</summary>
    public const int MaximumSize = 4 * 1024 * 1024;

    /// <summary>Reads one DER list with nothing behind it. The result keeps a reference to the bytes.</summary>
    public static Outcome<RevocationList> Parse(ReadOnlyMemory<byte> der)
    {
        if (der.Length > MaximumSize) return Refuse("crl", $"{der.Length} bytes; at most {MaximumSize} are read");
        var reader = new DerReader(der);
        if (!reader.TryReadInto(DerReader.Sequence, out DerReader outer) || !reader.IsEmpty) return Refuse("crl", "not one DER revocation list");
        if (!outer.TryRead(DerReader.Sequence, out ReadOnlyMemory<byte> tbsContent, out ReadOnlyMemory<byte> tbs)
            || !outer.TryRead(DerReader.Sequence, out ReadOnlyMemory<byte> algorithm)
            || !outer.TryReadOctetsOfBitString(out ReadOnlyMemory<byte> signature) || !outer.IsEmpty) return Refuse("crl", "it is not a SEQUENCE of content, algorithm and signature");

        var body = new DerReader(tbsContent);
        if (!body.TryReadInt32(out int version) || version != 1) return Refuse("version", "not version 2");
        if (!body.TryRead(DerReader.Sequence, out ReadOnlyMemory<byte> innerAlgorithm) || !innerAlgorithm.Span.SequenceEqual(algorithm.Span)) return Refuse("signature", "the signed algorithm is not the outer one");
        if (!body.TryRead(DerReader.Sequence, out ReadOnlyMemory<byte> issuerContent, out ReadOnlyMemory<byte> issuer) || !CertificateParser.TryReadName(issuerContent, out string? issuerName)) return Refuse("issuer", "not a name");
        if (!body.TryReadTime(out DateTimeOffset thisUpdate)) return Refuse("thisUpdate", "not a time");
        if (!body.TryReadTime(out DateTimeOffset nextUpdate)) return Refuse("nextUpdate", "not a time; a list that never ends is not accepted");
        ReadOnlyMemory<byte> entries = default;
        int count = 0;
        if (body.NextTag == DerReader.Sequence && (!body.TryRead(DerReader.Sequence, out entries) || !TryReadEntries(entries, out count))) return Refuse("revokedCertificates", "an entry is not of its form or has a critical extension that is not known");
        ReadOnlyMemory<byte> number = default;
        if (!body.IsEmpty && (!body.TryReadInto(DerReader.Context(0), out DerReader field) || !TryReadExtensions(ref field, out number) || !body.IsEmpty)) return Refuse("crlExtensions", "not of their form, or one is critical and not known");
        return Outcome.Accept(new RevocationList
        {
            Encoded = der,
            Signed = tbs,
            SignatureAlgorithm = SignatureAlgorithms.Parse(algorithm),
            Signature = signature,
            Issuer = issuer,
            IssuerCommonName = issuerName,
            ThisUpdate = thisUpdate,
            NextUpdate = nextUpdate,
            Number = number,
            Count = count,
            Entries = entries,
        });
    }

    /// <summary>Fuzz target: an accepted list finds each of its own entries.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (!Parse(bytes.ToArray()).TryGetValue(out RevocationList? list) || list.Count == 0) return;
        var entries = new DerReader(list.Entries);
        if (!entries.TryReadInto(DerReader.Sequence, out DerReader first) || !first.TryReadInteger(out ReadOnlyMemory<byte> serial) || !list.Lists(serial.Span))
            throw new InvalidOperationException("A list that does not find its own entry.");
    }

    private static bool TryReadEntries(ReadOnlyMemory<byte> content, out int count)
    {
        count = 0;
        var entries = new DerReader(content);
        while (!entries.IsEmpty)
        {
            if (!entries.TryReadInto(DerReader.Sequence, out DerReader entry) || !entry.TryReadInteger(out _) || !entry.TryReadTime(out _)) return false;
            if (!entry.IsEmpty && (!entry.TryReadInto(DerReader.Sequence, out DerReader extensions) || !entry.IsEmpty || !HasNoCritical(ref extensions))) return false;
            count++;
        }
        return true;
    }

    // A critical entry extension is certificateIssuer: the list is indirect and its entries name other issuers' certificates.
    private static bool HasNoCritical(ref DerReader extensions)
    {
        if (extensions.IsEmpty) return false;
        while (!extensions.IsEmpty)
            if (!extensions.TryReadInto(DerReader.Sequence, out DerReader one) || !CertificateParser.TryReadExtension(ref one, out CertificateExtension extension) || extension.IsCritical) return false;
        return true;
    }

    // Critical ones mean that the list is a delta or covers a part alone (RFC 5280, 5.2.4 and 5.2.5): it does not say that others are good.
    private static bool TryReadExtensions(ref DerReader field, out ReadOnlyMemory<byte> number)
    {
        number = default;
        if (!field.TryReadInto(DerReader.Sequence, out DerReader list) || !field.IsEmpty || !CertificateParser.TryReadExtensions(ref list, out ImmutableArray<CertificateExtension> extensions)) return false;
        foreach (CertificateExtension extension in extensions)
        {
            if (extension.IsCritical) return false;
            if (!extension.Oid.Span.SequenceEqual(Oids.CrlNumber)) continue;
            var value = new DerReader(extension.Value);
            if (!value.TryReadInteger(out number) || !value.IsEmpty) return false;
        }
        return true;
    }

    private static Outcome<RevocationList> Refuse(string field, string reason) => Outcome.Refuse<RevocationList>(Refusal.RevocationListMalformed, field, reason);
}

using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Net;
using System.Numerics;

namespace Cloister.Protocol.Certificates;

/// <summary>Writes the extensions that a template asks for, in Go's order, each unless the template brings one of its kind as it is.</summary>
internal sealed class CertificateExtensions(CertificateTemplate template)
{
    private const string
        SubjectKeyId = "2.5.29.14", KeyUsage = "2.5.29.15", AlternativeName = "2.5.29.17", BasicConstraints = "2.5.29.19", NameConstraints = "2.5.29.30",
        RevocationLists = "2.5.29.31", PoliciesId = "2.5.29.32", AuthorityKeyId = "2.5.29.35", ExtKeyUsage = "2.5.29.37", AuthorityInformation = "1.3.6.1.5.5.7.1.1",
        Ocsp = "1.3.6.1.5.5.7.48.1", CaIssuers = "1.3.6.1.5.5.7.48.2";

    // Choices of GeneralName (RFC 5280, 4.2.1.6).
    private const int EmailName = 1, DnsName = 2, UriName = 6, IpName = 7;

    private static readonly ImmutableArray<string> s_known =
    [
        SubjectKeyId, KeyUsage, AlternativeName, BasicConstraints, NameConstraints, RevocationLists, PoliciesId, AuthorityKeyId, ExtKeyUsage, AuthorityInformation,
    ];

    private readonly List<CertificateExtension> _extensions = [];

    /// <exception cref="ProtocolException">CertificateTemplateWrong.</exception>
    public static IReadOnlyList<CertificateExtension> Of(CertificateTemplate template, bool subjectIsEmpty, ReadOnlyMemory<byte> subjectKeyId, ReadOnlyMemory<byte> authorityKeyId) =>
        new CertificateExtensions(template).Write(subjectIsEmpty, subjectKeyId, authorityKeyId);

    private List<CertificateExtension> Write(bool subjectIsEmpty, ReadOnlyMemory<byte> subjectKeyId, ReadOnlyMemory<byte> authorityKeyId)
    {
        Add(KeyUsage, template.KeyUsage != 0, critical: true, WriteKeyUsage);
        Add(ExtKeyUsage, template.ExtKeyUsage is { IsEmpty: false } || !template.UnknownExtKeyUsage.IsEmpty, critical: false, WriteExtKeyUsage);
        Add(BasicConstraints, true, critical: true, WriteBasicConstraints);
        Add(SubjectKeyId, !subjectKeyId.IsEmpty, critical: false, der => der.WriteOctetString(subjectKeyId.Span));
        Add(AuthorityKeyId, !authorityKeyId.IsEmpty, critical: false, der =>
        {
            using (der.PushSequence()) der.WriteOctetString(authorityKeyId.Span, CertificateDer.Context(0));
        });
        Add(AuthorityInformation, !template.OcspServer.IsEmpty || !template.IssuingCertificateUrl.IsEmpty, critical: false, WriteAuthorityInformation);
        Add(AlternativeName, template.DnsNames is { IsEmpty: false } || !template.EmailAddresses.IsEmpty || template.IpAddresses is { IsEmpty: false } || !template.Uris.IsEmpty,
            critical: subjectIsEmpty, WriteAlternativeNames);
        Add(PoliciesId, !template.Policies.IsEmpty, critical: false, WritePolicies);
        Add(NameConstraints, !template.Permitted.IsEmpty || !template.Excluded.IsEmpty, template.PermittedDnsDomainsCritical, WriteNameConstraints);
        Add(RevocationLists, !template.CrlDistributionPoints.IsEmpty, critical: false, WriteRevocationLists);
        _extensions.AddRange(template.ExtraExtensions);
        Check();
        return _extensions;
    }

    private void Add(string id, bool wanted, bool critical, Action<AsnWriter> write)
    {
        if (!wanted || template.ExtraExtensions.Any(extra => extra.Id == id)) return;
        var der = new AsnWriter(AsnEncodingRules.DER);
        write(der);
        _extensions.Add(new CertificateExtension(id, critical, der.Encode()));
    }

    // Go reads back what it made, and refuses some of it.
    private void Check()
    {
        foreach (CertificateExtension extra in template.ExtraExtensions)
        {
            if (!CertificateDer.IsId(extra.Id)) throw CertificateDer.Wrong("asn1: structure error: invalid object identifier");
            if (s_known.Contains(extra.Id) && !IsOneValue(extra.Value)) throw CertificateDer.Wrong($"x509: extension {extra.Id} is malformed");
        }
        if (_extensions.GroupBy(extension => extension.Id).FirstOrDefault(group => group.Skip(1).Any()) is { } twice)
            throw CertificateDer.Wrong($"x509: certificate contains duplicate extension with OID \"{twice.Key}\"");
    }

    private static bool IsOneValue(ReadOnlyMemory<byte> der)
    {
        try
        {
            var reader = new AsnReader(der, AsnEncodingRules.DER);
            reader.ReadEncodedValue();
            return !reader.HasData;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    // Bit 0 of Go's number is the first bit of the string, which is the highest of its first byte; trailing zero bits are not written.
    private void WriteKeyUsage(AsnWriter der)
    {
        Span<byte> bits = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bits, Reverse((ushort)(template.KeyUsage & 0xFFFF)));
        ReadOnlySpan<byte> written = bits[1] != 0 ? bits : bits[..1];
        der.WriteBitString(written, written[^1] == 0 ? 0 : BitOperations.TrailingZeroCount(written[^1]));
    }

    private static ushort Reverse(ushort bits)
    {
        int reversed = 0;
        for (int i = 0; i < 16; i++)
            reversed |= (bits >> i & 1) << (15 - i);
        return (ushort)reversed;
    }

    private void WriteExtKeyUsage(AsnWriter der)
    {
        using (der.PushSequence())
        {
            foreach (long usage in template.ExtKeyUsage ?? [])
                der.WriteObjectIdentifier(CertificateUsages.ExtendedId(usage) ?? throw CertificateDer.Wrong("x509: unknown extended key usage"));
            foreach (string id in template.UnknownExtKeyUsage)
                CertificateDer.WriteId(der, id);
        }
    }

    private void WriteBasicConstraints(AsnWriter der)
    {
        using (der.PushSequence())
        {
            if (template.IsCa) der.WriteBoolean(true);
            if (template.MaxPathLen == -1 || (template.MaxPathLen == 0 && !template.MaxPathLenZero)) return;
            if (template.MaxPathLen < 0) throw CertificateDer.Wrong("x509: invalid MaxPathLen, must be greater or equal to -1");
            der.WriteInteger(template.MaxPathLen);
        }
    }

    private void WriteAuthorityInformation(AsnWriter der)
    {
        using (der.PushSequence())
        {
            foreach ((string method, string location) in template.OcspServer.Select(uri => (Ocsp, uri)).Concat(template.IssuingCertificateUrl.Select(uri => (CaIssuers, uri))))
                using (der.PushSequence())
                {
                    der.WriteObjectIdentifier(method);
                    CertificateDer.WriteName(der, UriName, location);
                }
        }
    }

    private void WriteAlternativeNames(AsnWriter der)
    {
        using (der.PushSequence())
        {
            foreach (string name in template.DnsNames ?? [])
                CertificateDer.WriteAscii(der, DnsName, name);
            foreach (string address in template.EmailAddresses)
                CertificateDer.WriteAscii(der, EmailName, address);
            foreach (IPAddress? address in template.IpAddresses ?? [])
                der.WriteOctetString(Bytes(address ?? throw CertificateDer.Wrong("x509: cannot parse IP address of length 0")), CertificateDer.Context(IpName));
            foreach (string uri in template.Uris)
                CertificateDer.WriteAscii(der, UriName, uri);
        }
    }

    private void WritePolicies(AsnWriter der)
    {
        using (der.PushSequence())
            foreach (string policy in template.Policies)
                using (der.PushSequence())
                    CertificateDer.WriteId(der, policy);
    }

    private void WriteNameConstraints(AsnWriter der)
    {
        using (der.PushSequence())
        {
            WriteConstraints(der, 0, template.Permitted);
            WriteConstraints(der, 1, template.Excluded);
        }
    }

    private static void WriteConstraints(AsnWriter der, int tag, CertificateNameConstraints constraints)
    {
        if (constraints.IsEmpty) return;
        using (der.PushSequence(CertificateDer.Context(tag)))
        {
            foreach (string domain in constraints.DnsDomains)
                WriteConstraint(der, DnsName, domain, NameConstraintTexts.IsDomain, "dnsName");
            foreach (CertificateIpRange range in constraints.IpRanges)
                using (der.PushSequence())
                    der.WriteOctetString(Range(range), CertificateDer.Context(IpName));
            foreach (string address in constraints.EmailAddresses)
                WriteConstraint(der, EmailName, address, NameConstraintTexts.IsMailbox, "rfc822Name");
            foreach (string domain in constraints.UriDomains)
                WriteConstraint(der, UriName, domain, NameConstraintTexts.IsUriDomain, "URI");
        }
    }

    private static void WriteConstraint(AsnWriter der, int tag, string name, Func<string, bool> isValid, string kind)
    {
        using (der.PushSequence())
            CertificateDer.WriteAscii(der, tag, name);
        if (!isValid(name))
            throw CertificateDer.Wrong($"x509: failed to parse {kind} constraint \"{name}\"" + (kind == "URI" && IPAddress.TryParse(name, out _) ? ": cannot be IP address" : ""));
    }

    private void WriteRevocationLists(AsnWriter der)
    {
        using (der.PushSequence())
            foreach (string uri in template.CrlDistributionPoints)
                using (der.PushSequence())
                using (der.PushSequence(CertificateDer.Context(0)))
                using (der.PushSequence(CertificateDer.Context(0)))
                    CertificateDer.WriteName(der, UriName, uri);
    }

    // Address, masked, then mask: 8 bytes for IPv4, 32 for IPv6 (RFC 5280, 4.2.1.10).
    private static byte[] Range(CertificateIpRange range)
    {
        byte[] address = range.Address is null ? [] : Bytes(range.Address), mask = range.Mask.ToArray();
        if (mask.Length == 16 && address.Length == 4 && mask.AsSpan(0, 12).IndexOfAnyExcept((byte)0xFF) < 0) mask = mask[12..];
        if (address.Length != mask.Length || address.Length == 0)
            throw CertificateDer.Wrong($"x509: IP constraint contained value of length {mask.Length}");
        if (!IsMask(mask)) throw CertificateDer.Wrong($"x509: IP constraint contained invalid mask {Convert.ToHexStringLower(mask)}");
        return [.. address.Zip(mask, (part, kept) => (byte)(part & kept)), .. mask];
    }

    private static bool IsMask(ReadOnlySpan<byte> mask)
    {
        int ones = mask.IndexOfAnyExcept((byte)0xFF);
        return ones < 0 || (mask[(ones + 1)..].IndexOfAnyExcept((byte)0) < 0 && BitOperations.IsPow2(256 - mask[ones]));
    }

    private static byte[] Bytes(IPAddress address) => (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).GetAddressBytes();
}

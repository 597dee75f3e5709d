using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Protocol;
using Cloister.Protocol.Certificates;
using Cloister.Protocol.Marble;

namespace Cloister.Coordinator.Authority;

/// <summary>
/// The coordinator's three certificates, all ECDSA P-384: the root (self-signed, never changes), the intermediate (signed by the root, signs leaves)
/// and the marble root (the intermediate's key, self-signed: what workloads take as their root). Each carries its private key.
/// </summary>
internal sealed class CertificateAuthority
{
    public const string RootName = "MarbleRun Coordinator";
    public const string IntermediateName = "MarbleRun Coordinator - Intermediate CA";

    // Go's largest time.Duration, 2^63-1 nanoseconds: the lifetime of every certificate of MarbleRun.
    public static readonly TimeSpan Forever = TimeSpan.FromTicks(long.MaxValue / TimeSpan.NanosecondsPerTick);

    /// <summary>How long before now a certificate's validity begins, for peers whose clock is a little behind.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);

    /// <summary>Most marble roots that are remembered after rotations.</summary>
    public const int MaxPrevious = 8;

    private static readonly ImmutableArray<long> s_serverAndClient = [CertificateUsages.ServerAuth, CertificateUsages.ClientAuth];

    private readonly byte[] _issuerKeyId;
    private readonly SigningKeys _intermediateKeys;

    public CertificateAuthority(X509Certificate2 root, X509Certificate2 intermediate, X509Certificate2 marbleRoot, ImmutableArray<X509Certificate2> previousMarbleRoots = default)
    {
        (Root, Intermediate, MarbleRoot) = (root, intermediate, marbleRoot);
        PreviousMarbleRoots = previousMarbleRoots.IsDefault ? [] : previousMarbleRoots;
        _intermediateKeys = new SigningKeys(intermediate);
        RootSpki = root.PublicKey.ExportSubjectPublicKeyInfo();
        IntermediateSpki = intermediate.PublicKey.ExportSubjectPublicKeyInfo();
        _issuerKeyId = KeyId(intermediate);
    }

    public X509Certificate2 Root { get; }

    public X509Certificate2 Intermediate { get; }

    public X509Certificate2 MarbleRoot { get; }

    /// <summary>Marble roots, without keys, that were rotated out since running workloads last had to be activated anew, newest first: what they signed may still be renewed.</summary>
    public ImmutableArray<X509Certificate2> PreviousMarbleRoots { get; }

    public ReadOnlyMemory<byte> RootSpki { get; }

    /// <summary>Also the marble root's key.</summary>
    public ReadOnlyMemory<byte> IntermediateSpki { get; }

    /// <summary>A new authority; <paramref name="dnsNames"/> go into every certificate, since two of them serve TLS.</summary>
    public static CertificateAuthority Create(ImmutableArray<string> dnsNames, DateTimeOffset now)
    {
        using ECDsa rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        SubjectNames names = SubjectNames.OfServer(dnsNames);
        return Under(SelfSigned(RootName, rootKey, names, now), names, [], now);
    }

    /// <summary>The same root with a new intermediate and marble root; <paramref name="renewable"/>: what the old one signed may still be renewed.</summary>
    public CertificateAuthority Rotate(bool renewable, DateTimeOffset now)
    {
        var names = Root.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        ImmutableArray<X509Certificate2> previous = renewable
            ? [X509CertificateLoader.LoadCertificate(MarbleRoot.RawDataMemory.Span), .. PreviousMarbleRoots.Take(MaxPrevious - 1)]
            : [];
        return Under(Root, names is null ? SubjectNames.None : new([.. names.EnumerateDnsNames()], [.. names.EnumerateIPAddresses()]), previous, now);
    }

    private static CertificateAuthority Under(X509Certificate2 root, SubjectNames names, ImmutableArray<X509Certificate2> previous, DateTimeOffset now)
    {
        using ECDsa rootKey = root.GetECDsaPrivateKey()!, intermediateKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        X509Certificate2 marbleRoot = SelfSigned(IntermediateName, intermediateKey, names, now);
        CertificateDraft draft = AuthorityDraft(IntermediateName, intermediateKey, names, now) with { Issuer = root.SubjectName.RawData, IssuerKeyId = KeyId(root) };
        using X509Certificate2 signed = X509CertificateLoader.LoadCertificate(draft.Sign(rootKey));
        return new CertificateAuthority(root, signed.CopyWithPrivateKey(intermediateKey), marbleRoot, previous);
    }

    /// <summary>A leaf signed by the intermediate, as DER.</summary>
    public byte[] Issue(LeafProfile leaf)
    {
        X509Extension[] extensions = [MarbleExtension.Create(leaf.MarbleType), .. leaf.ActivatedKey is { } key ? new[] { TpmKeyExtension.Create(key) } : []];
        var template = new CertificateTemplate
        {
            Subject = new CertificateName { CommonName = leaf.Uuid.ToString("D") },
            DnsNames = leaf.Names.Dns,
            IpAddresses = [.. leaf.Names.Addresses],
            KeyUsage = CertificateUsages.DigitalSignature | CertificateUsages.KeyAgreement,
            ExtKeyUsage = s_serverAndClient,
            ExtraExtensions = [.. extensions.Select(extension => new CertificateExtension(extension.Oid!.Value!, extension.Critical, extension.RawData))],
        };
        return Sign(template, leaf.Key.ExportSubjectPublicKeyInfo(), leaf.NotBefore, leaf.NotAfter);
    }

    /// <summary>A certificate of a manifest's secret, signed by the intermediate, as DER.</summary>
    /// <exception cref="ProtocolException">CertificateTemplateWrong: the template asks for what cannot be made.</exception>
    public byte[] Issue(CertificateTemplate template, ReadOnlyMemory<byte> subjectPublicKeyInfo, DateTimeOffset notBefore, DateTimeOffset notAfter) =>
        template.ExtraExtensions.Any(extension => extension.Id == TpmKeyExtension.ObjectIdentifier)
            ? throw new ProtocolException(ProtocolError.CertificateTemplateWrong, "ExtraExtensions", $"{TpmKeyExtension.ObjectIdentifier} says that a TPM's key was activated, which only an activation does.")
            : Sign(template, subjectPublicKeyInfo, notBefore, notAfter);

    private byte[] Sign(CertificateTemplate template, ReadOnlyMemory<byte> subjectPublicKeyInfo, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        var draft = new CertificateDraft(template, Intermediate.SubjectName.RawData, _issuerKeyId, subjectPublicKeyInfo, NewSerial(), notBefore, notAfter);
        return _intermediateKeys.Use(draft.Sign);
    }

    private static X509Certificate2 SelfSigned(string name, ECDsa key, SubjectNames names, DateTimeOffset now)
    {
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(AuthorityDraft(name, key, names, now).Sign(key));
        return certificate.CopyWithPrivateKey(key);
    }

    // Its own issuer, until another is set.
    private static CertificateDraft AuthorityDraft(string name, ECDsa key, SubjectNames names, DateTimeOffset now)
    {
        var template = new CertificateTemplate
        {
            Subject = new CertificateName { CommonName = name },
            DnsNames = names.Dns,
            IpAddresses = [.. names.Addresses],
            KeyUsage = CertificateUsages.DigitalSignature | CertificateUsages.CertSign,
            ExtKeyUsage = s_serverAndClient,
            IsCa = true,
        };
        return new CertificateDraft(template, template.Subject.Encode(), default, key.ExportSubjectPublicKeyInfo(), NewSerial(), now - ClockSkew, now + Forever);
    }

    // Certificates of older states name their keys in another way, so it is read and not computed.
    private static byte[] KeyId(X509Certificate2 authority) =>
        authority.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single().SubjectKeyIdentifierBytes.ToArray();

    // Encoded as an unsigned integer: all 128 bits are random.
    private static byte[] NewSerial() => RandomNumberGenerator.GetBytes(16);
}

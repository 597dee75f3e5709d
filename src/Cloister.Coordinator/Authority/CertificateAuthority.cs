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

    private readonly byte[] _issuerKeyId;

    public CertificateAuthority(X509Certificate2 root, X509Certificate2 intermediate, X509Certificate2 marbleRoot, ImmutableArray<X509Certificate2> previousMarbleRoots = default)
    {
        (Root, Intermediate, MarbleRoot) = (root, intermediate, marbleRoot);
        PreviousMarbleRoots = previousMarbleRoots.IsDefault ? [] : previousMarbleRoots;
        RootSpki = root.PublicKey.ExportSubjectPublicKeyInfo();
        IntermediateSpki = intermediate.PublicKey.ExportSubjectPublicKeyInfo();
        _issuerKeyId = new X509SubjectKeyIdentifierExtension(intermediate.PublicKey, critical: false).SubjectKeyIdentifierBytes.ToArray();
    }

    public X509Certificate2 Root { get; }

    public X509Certificate2 Intermediate { get; }

    public X509Certificate2 MarbleRoot { get; }

    /// <summary>Marble roots, without keys, that were rotated out under the manifest in force, newest first: what they signed may still be renewed.</summary>
    public ImmutableArray<X509Certificate2> PreviousMarbleRoots { get; }

    public ReadOnlyMemory<byte> RootSpki { get; }

    /// <summary>Also the marble root's key.</summary>
    public ReadOnlyMemory<byte> IntermediateSpki { get; }

    /// <summary>A new authority; <paramref name="dnsNames"/> go into every certificate, since two of them serve TLS.</summary>
    public static CertificateAuthority Create(ImmutableArray<string> dnsNames, DateTimeOffset now)
    {
        using ECDsa rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        return Under(SelfSigned(RootName, rootKey, dnsNames, now), dnsNames, [], now);
    }

    /// <summary>The same root with a new intermediate and marble root; <paramref name="renewable"/>: what the old one signed may still be renewed.</summary>
    public CertificateAuthority Rotate(bool renewable, DateTimeOffset now)
    {
        var names = Root.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        ImmutableArray<X509Certificate2> previous = renewable
            ? [X509CertificateLoader.LoadCertificate(MarbleRoot.RawDataMemory.Span), .. PreviousMarbleRoots.Take(MaxPrevious - 1)]
            : [];
        return Under(Root, [.. names?.EnumerateDnsNames() ?? []], previous, now);
    }

    private static CertificateAuthority Under(X509Certificate2 root, ImmutableArray<string> dnsNames, ImmutableArray<X509Certificate2> previous, DateTimeOffset now)
    {
        using ECDsa rootKey = root.GetECDsaPrivateKey()!, intermediateKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        X509Certificate2 marbleRoot = SelfSigned(IntermediateName, intermediateKey, dnsNames, now);
        CertificateRequest request = AuthorityRequest(IntermediateName, intermediateKey, dnsNames);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(root, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using X509Certificate2 signed = request.Create(root.SubjectName, X509SignatureGenerator.CreateForECDsa(rootKey), now - ClockSkew, now + Forever, NewSerial());
        return new CertificateAuthority(root, signed.CopyWithPrivateKey(intermediateKey), marbleRoot, previous);
    }

    /// <summary>A leaf signed by the intermediate, as DER.</summary>
    public byte[] Issue(LeafProfile leaf)
    {
        var request = new CertificateRequest(new X500DistinguishedName("CN=" + leaf.Uuid.ToString("D")), leaf.Key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyAgreement, critical: true));
        request.CertificateExtensions.Add(ServerAndClient());
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(leaf.Key, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(_issuerKeyId));
        request.CertificateExtensions.Add(MarbleExtension.Create(leaf.MarbleType));
        if (leaf.Names.Build() is { } names)
            request.CertificateExtensions.Add(names);
        // Each call takes its own handle on the shared key: an ECDsa object belongs to one thread.
        using ECDsa key = Intermediate.GetECDsaPrivateKey()!;
        using X509Certificate2 certificate = request.Create(Intermediate.SubjectName, X509SignatureGenerator.CreateForECDsa(key), leaf.NotBefore, leaf.NotAfter, NewSerial());
        return certificate.RawData;
    }

    /// <summary>A certificate of a manifest's secret, signed by the intermediate, as DER.</summary>
    /// <exception cref="ProtocolException">CertificateTemplateWrong: the template asks for what cannot be made.</exception>
    public byte[] Issue(CertificateTemplate template, ReadOnlyMemory<byte> subjectPublicKeyInfo, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        using ECDsa key = Intermediate.GetECDsaPrivateKey()!;
        return new CertificateDraft(template, Intermediate.SubjectName.RawData, _issuerKeyId, subjectPublicKeyInfo, NewSerial(), notBefore, notAfter).Sign(key);
    }

    private static X509Certificate2 SelfSigned(string name, ECDsa key, ImmutableArray<string> dnsNames, DateTimeOffset now)
    {
        CertificateRequest request = AuthorityRequest(name, key, dnsNames);
        using X509Certificate2 certificate = request.Create(request.SubjectName, X509SignatureGenerator.CreateForECDsa(key), now - ClockSkew, now + Forever, NewSerial());
        return certificate.CopyWithPrivateKey(key);
    }

    private static CertificateRequest AuthorityRequest(string name, ECDsa key, ImmutableArray<string> dnsNames)
    {
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(ServerAndClient());
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        if (new SubjectNames(dnsNames, [System.Net.IPAddress.Loopback, System.Net.IPAddress.IPv6Loopback]).Build() is { } names)
            request.CertificateExtensions.Add(names);
        return request;
    }

    private static X509EnhancedKeyUsageExtension ServerAndClient() => new([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false);

    // Encoded as an unsigned integer: all 128 bits are random.
    private static byte[] NewSerial() => RandomNumberGenerator.GetBytes(16);
}

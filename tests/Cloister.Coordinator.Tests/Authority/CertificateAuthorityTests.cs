using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Coordinator.Authority;
using Cloister.Protocol.Marble;

namespace Cloister.Coordinator.Tests.Authority;

/// <summary>Certificates have MarbleRun's fields in MarbleRun's order.</summary>
public sealed class CertificateAuthorityTests
{
    private const string KeyUsage = "2.5.29.15", ExtKeyUsage = "2.5.29.37", BasicConstraints = "2.5.29.19", SubjectKeyId = "2.5.29.14", AuthorityKeyId = "2.5.29.35", Names = "2.5.29.17";

    private static readonly DateTimeOffset s_now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly CertificateAuthority s_authority = CertificateAuthority.Create(["localhost", "10.1.2.3", "b\u00fccher.example"], s_now);

    [Fact]
    public void The_authorities_are_marbleruns()
    {
        Assert.Equal([KeyUsage, ExtKeyUsage, BasicConstraints, SubjectKeyId, Names], Ids(s_authority.Root));
        Assert.Equal([KeyUsage, ExtKeyUsage, BasicConstraints, SubjectKeyId, Names], Ids(s_authority.MarbleRoot));
        Assert.Equal([KeyUsage, ExtKeyUsage, BasicConstraints, SubjectKeyId, AuthorityKeyId, Names], Ids(s_authority.Intermediate));
        foreach (X509Certificate2 authority in (X509Certificate2[])[s_authority.Root, s_authority.MarbleRoot, s_authority.Intermediate])
        {
            Assert.Equal("03020284", Value(authority, KeyUsage));
            Assert.Equal("30030101ff", Value(authority, BasicConstraints));
            Assert.Equal(s_now.Year + 292, authority.NotAfter.Year);
            var names = authority.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
            Assert.Equal(["localhost", "xn--bcher-kva.example"], names.EnumerateDnsNames());
            Assert.Equal([IPAddress.Loopback, IPAddress.IPv6Loopback, IPAddress.Parse("10.1.2.3")], names.EnumerateIPAddresses());
            using ECDsa key = authority.GetECDsaPrivateKey()!;
            Assert.Equal(384, key.KeySize);
        }
        Assert.Equal(s_authority.Root.Subject, s_authority.Intermediate.Issuer);
        Assert.Equal(s_authority.MarbleRoot.Subject, s_authority.MarbleRoot.Issuer);
        Assert.Equal(s_authority.MarbleRoot.PublicKey.ExportSubjectPublicKeyInfo(), s_authority.Intermediate.PublicKey.ExportSubjectPublicKeyInfo());
    }

    [Fact]
    public void A_leaf_is_marbleruns()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var profile = new LeafProfile(Guid.NewGuid(), "type", new PublicKey(key), new SubjectNames(["localhost"], [IPAddress.Loopback]), s_now, s_now + CertificateAuthority.Forever);
        using X509Certificate2 leaf = X509CertificateLoader.LoadCertificate(s_authority.Issue(profile));
        Assert.Equal([KeyUsage, ExtKeyUsage, BasicConstraints, AuthorityKeyId, Names, MarbleExtension.ObjectIdentifier], Ids(leaf));
        Assert.Equal(("03020388", "3000"), (Value(leaf, KeyUsage), Value(leaf, BasicConstraints)));
        Assert.Equal("type", MarbleExtension.Read(leaf));
        using X509Certificate2 bare = X509CertificateLoader.LoadCertificate(s_authority.Issue(profile with { Names = SubjectNames.None }));
        Assert.DoesNotContain(Names, Ids(bare));
    }

    [Fact]
    public void A_rotation_keeps_the_root_and_all_names()
    {
        CertificateAuthority rotated = s_authority.Rotate(renewable: true, s_now);
        Assert.Same(s_authority.Root, rotated.Root);
        Assert.NotEqual(s_authority.IntermediateSpki.ToArray(), rotated.IntermediateSpki.ToArray());
        Assert.Equal(Value(s_authority.Intermediate, Names), Value(rotated.Intermediate, Names));
        Assert.Equal(Value(s_authority.Intermediate, AuthorityKeyId), Value(rotated.Intermediate, AuthorityKeyId));
    }

    private static IEnumerable<string?> Ids(X509Certificate2 certificate) => certificate.Extensions.Select(extension => extension.Oid?.Value);

    private static string Value(X509Certificate2 certificate, string id) => Convert.ToHexStringLower(certificate.Extensions.Single(extension => extension.Oid?.Value == id).RawData);
}

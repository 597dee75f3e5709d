using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Coordinator.Authority;

namespace Cloister.Coordinator.Tests.Authority;

public sealed class SigningKeysTests
{
    [Fact]
    public async Task Many_certificates_at_once_are_signed_each_on_its_own_and_verify()
    {
        DateTimeOffset now = DateTimeOffset.UnixEpoch.AddYears(56);
        CertificateAuthority authority = CertificateAuthority.Create(["localhost"], now);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var publicKey = new PublicKey(key);
        byte[][] leaves = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(() =>
            authority.Issue(new LeafProfile(Guid.NewGuid(), "m", publicKey, SubjectNames.None, now, now.AddDays(2))))));
        var serials = new HashSet<string>();
        foreach (byte[] der in leaves)
        {
            using X509Certificate2 leaf = X509CertificateLoader.LoadCertificate(der);
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(authority.MarbleRoot);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.VerificationTime = now.AddDays(1).UtcDateTime;
            Assert.True(chain.Build(leaf));
            Assert.True(serials.Add(leaf.SerialNumber));
        }
    }
}

using System.Security.Cryptography.X509Certificates;

namespace Cloister.Coordinator.Authority;

/// <summary>Whether a certificate is a workload's of the authority in force: issued by the marble root's key, valid now, for TLS servers.</summary>
internal static class WorkloadChain
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    public static bool Holds(X509Certificate2 certificate, CertificateAuthority authority, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority.MarbleRoot);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid(ServerAuthentication));
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        return chain.Build(certificate) && chain.ChainElements.Count == 2;
    }
}

using System.Security.Cryptography.X509Certificates;
using Cloister.Coordinator.Authority;
using Cloister.Protocol.Marble;

namespace Cloister.Coordinator.Activation;

/// <summary>
/// A renewal comes over a connection that shows the workload's current certificate: of this authority, valid now, of the same type and UUID.
/// An update replaces the intermediate. What the one before it signed is renewed where the manifest stayed or leaves running workloads what
/// they are (<see cref="Update.CarriedWorkloads"/>), so that nobody has to be activated, and counted, again; any other manifest ends that.
/// </summary>
internal static class RenewalCheck
{
    /// <exception cref="CoordinatorException">RenewalRefused.</exception>
    public static void Require(X509Certificate2? connection, CertificateAuthority authority, string type, Guid uuid, DateTimeOffset now)
    {
        if (connection is null || !IsOurs(connection, authority, now))
            throw Refused("the TLS client certificate is not a current one of this coordinator");
        if (MarbleExtension.Read(connection) != type || connection.GetNameInfo(X509NameType.SimpleName, forIssuer: false) != uuid.ToString("D"))
            throw Refused("the TLS client certificate belongs to another workload");
    }

    private static bool IsOurs(X509Certificate2 certificate, CertificateAuthority authority, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority.MarbleRoot);
        foreach (X509Certificate2 previous in authority.PreviousMarbleRoots)
            chain.ChainPolicy.CustomTrustStore.Add(previous);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        return chain.Build(certificate) && chain.ChainElements.Count == 2;
    }

    private static CoordinatorException Refused(string why) =>
        new(CoordinatorError.RenewalRefused, $"The renewal was refused: {why}. Activate anew with a certificate of a fresh key.");
}

using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.Recovery;
using Cloister.Coordinator.Secrets;
using Cloister.Coordinator.State;

namespace Cloister.Coordinator.Update;

/// <summary>
/// All that an update makes anew, made before the transaction that uses it, since keys take their time:
/// a transaction that finds other material than it needs asks for it and is decided again.
/// </summary>
/// <param name="From">The authority that was in force.</param>
/// <param name="Manifest">The manifest that is in force afterwards.</param>
/// <param name="Authority">The same root with a new intermediate and marble root.</param>
/// <param name="RootSecret">For a manifest that rotates it.</param>
/// <param name="Secrets">Every secret that all marbles share, under the new authority; those that are kept are not taken.</param>
/// <param name="Recovery">The state's new key and its recovery secrets, where the manifest changes who recovers it.</param>
internal sealed record FreshMaterial(
    CertificateAuthority From,
    ManifestInForce Manifest,
    CertificateAuthority Authority,
    ReadOnlyMemory<byte> RootSecret,
    ImmutableDictionary<string, SecretMaterial> Secrets,
    RecoverySetup Recovery) : IDisposable
{
    /// <param name="current">What is in force.</param>
    /// <param name="next">The manifest to make secrets for.</param>
    /// <param name="time">The clock.</param>
    public static FreshMaterial Make(CoordinatorSnapshot current, ManifestInForce next, TimeProvider time)
    {
        // A workload renews what the old intermediate signed under the same manifest, and under one that leaves it what it is; any other activates it anew.
        bool same = ReferenceEquals(current.Manifest, next), renewable = same || CarriedWorkloads.Are(current.Manifest!.Document, next.Document);
        CertificateAuthority authority = current.Authority.Rotate(renewable, time.GetUtcNow());
        var secrets = same
            ? SharedSecrets.RenewCertificates(next.Document, current.Secrets, authority, time.GetUtcNow())
            : SharedSecrets.Generate(next.Document, authority, time.GetUtcNow());
        return new FreshMaterial(current.Authority, next.SignedBy(authority), authority, RandomNumberGenerator.GetBytes(32), secrets, RecoverySetup.Prepare(current.Manifest!.Document, next.Document));
    }

    public void Dispose() => Recovery.Dispose();

    public bool Fits(CoordinatorSnapshot current, string fingerprint) => ReferenceEquals(From, current.Authority) && Manifest.Fingerprint == fingerprint;
}

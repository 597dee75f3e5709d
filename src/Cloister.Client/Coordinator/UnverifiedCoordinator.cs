using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;

namespace Cloister.Client;

/// <summary>
/// The two calls that make sense before a coordinator is verified. Whoever answers may be anybody: what it says is a hint,
/// and a manifest set this way counts only after <see cref="DeploymentVerifier"/> has found its fingerprint in evidence.
/// </summary>
public static class UnverifiedCoordinator
{
    /// <summary>The state that whoever answers claims.</summary>
    /// <exception cref="ClientException">It cannot be reached or refused.</exception>
    public static async Task<StatusV3> GetStatusAsync(Uri coordinator, ClientOptions? options = null, CancellationToken cancellation = default)
    {
        using var http = new PinnedHttp(coordinator, options ?? new ClientOptions());
        return await CoordinatorClient.GetStatusAsync(http, cancellation);
    }

    /// <summary>Hands a manifest, which is public, to whoever answers.</summary>
    /// <exception cref="ClientException">The manifest was refused, or it cannot be reached.</exception>
    public static async Task<SetManifestResultV3> SetManifestAsync(
        Uri coordinator, ReadOnlyMemory<byte> manifest, IReadOnlyList<OwnerSignature> signatures, ClientOptions? options = null, CancellationToken cancellation = default)
    {
        using var http = new PinnedHttp(coordinator, options ?? new ClientOptions());
        return await CoordinatorClient.SetManifestAsync(http, manifest, signatures, cancellation);
    }
}

using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;

namespace Cloister.Client;

/// <summary>The coordinator's client API over TLS connections whose key is the verified root's, and no other.</summary>
public sealed partial class CoordinatorClient : IDisposable
{
    private const int MaxStatus = 64 << 10, MaxManifest = 16 << 20, MaxSecrets = 64 << 20;
    private readonly PinnedHttp _http;
    private readonly VerifiedDeployment _deployment;

    /// <summary>Creates a client of a verified deployment.</summary>
    /// <param name="deployment">The deployment; secrets are sent under its manifest's fingerprint.</param>
    /// <param name="user">The user's certificate with its private key, where a call needs a user of the manifest; the caller keeps owning it.</param>
    /// <param name="options">Bounds and clock.</param>
    public CoordinatorClient(VerifiedDeployment deployment, X509Certificate2? user = null, ClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(deployment);
        if (user is { HasPrivateKey: false })
            throw new ArgumentException("The user's certificate has no private key.", nameof(user));
        _deployment = deployment;
        _http = new PinnedHttp(deployment.Coordinator, options ?? new ClientOptions(), deployment.RootKey, user);
    }

    /// <summary>The coordinator's state.</summary>
    /// <exception cref="ClientException">It cannot be reached, refused, or its TLS key changed.</exception>
    public Task<StatusV3> GetStatusAsync(CancellationToken cancellation = default) => GetStatusAsync(_http, cancellation);

    /// <summary>The manifest in force now, with its owners' signatures. It may be a later one than the verified one: compare the fingerprint.</summary>
    /// <exception cref="ClientException">It cannot be reached, refused, or its TLS key changed.</exception>
    public async Task<ManifestV3> GetManifestAsync(CancellationToken cancellation = default) =>
        RestAnswer.Data(await _http.GetAsync(RestPaths.ManifestV3, MaxManifest, cancellation), RestJson.Strict.JSendManifestV3, "the manifest");

    /// <summary>Sets the manifest. Verify the deployment again afterwards: from then on it has this manifest.</summary>
    /// <param name="manifest">The manifest's exact bytes.</param>
    /// <param name="signatures">Its owners' signatures, where the coordinator demands them.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="ClientException">The manifest was refused, or it cannot be reached.</exception>
    public Task<SetManifestResultV3> SetManifestAsync(ReadOnlyMemory<byte> manifest, IReadOnlyList<OwnerSignature> signatures, CancellationToken cancellation = default) =>
        SetManifestAsync(_http, manifest, signatures, cancellation);

    /// <summary>
    /// Uploads user-defined secrets, all or none. The coordinator refuses them if another manifest than the verified one
    /// is in force by then.
    /// </summary>
    /// <param name="secrets">By name; the caller keeps owning the bytes.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="InvalidOperationException">No manifest was in force when the deployment was verified.</exception>
    /// <exception cref="ClientException">The secrets were refused, or it cannot be reached.</exception>
    public async Task SetSecretsAsync(IReadOnlyDictionary<string, SecretValue> secrets, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(secrets);
        if (_deployment.Manifest is null)
            throw new InvalidOperationException("No manifest was in force when the deployment was verified; set one and verify again before a secret is released.");
        byte[] json = RestJson.Write(new UploadSecretsV3(_deployment.Fingerprint, secrets.ToImmutableDictionary(StringComparer.Ordinal)), RestJson.Strict.UploadSecretsV3);
        try
        {
            RestAnswer.RequireSuccess(await _http.PostAsync(RestPaths.SecretsV3, json, MaxStatus, cancellation), "the upload of secrets");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(json);
        }
    }

    /// <summary>Reads secrets that the user may read.</summary>
    /// <exception cref="ClientException">The user may not read one of them, or it cannot be reached.</exception>
    public async Task<IReadOnlyDictionary<string, SecretReading>> GetSecretsAsync(IReadOnlyList<string> names, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentOutOfRangeException.ThrowIfZero(names.Count, nameof(names));
        string query = string.Join('&', names.Select(n => "s=" + Uri.EscapeDataString(n)));
        HttpAnswer answer = await _http.GetAsync($"{RestPaths.SecretsV3}?{query}", MaxSecrets, cancellation);
        try
        {
            return RestAnswer.Data(answer, RestJson.Strict.JSendSecretsV3, "the reading of secrets").Secrets;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(answer.Body);
        }
    }

    internal static async Task<SetManifestResultV3> SetManifestAsync(PinnedHttp http, ReadOnlyMemory<byte> manifest, IReadOnlyList<OwnerSignature> signatures, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(signatures);
        var body = new SetManifestV3(manifest.ToArray(), [.. signatures.Select(s => new OwnerSignatureV3(s.PublicKey.ToArray(), s.Signature.ToArray()))]);
        HttpAnswer answer = await http.PostAsync(RestPaths.ManifestV3, RestJson.Write(body, RestJson.Strict.SetManifestV3), MaxManifest, cancellation);
        SetManifestResultV3 result = RestAnswer.Data(answer, RestJson.Strict.JSendSetManifestResultV3, "the setting of the manifest");
        string expected = ManifestFingerprint.Of(manifest.Span);
        return result.Fingerprint == expected ? result : throw new ClientException(ClientError.AnswerMalformed,
            $"The coordinator says that manifest {RestAnswer.Printable(result.Fingerprint)} is in force, and {expected} was sent. Verify the deployment before anything else.");
    }

    internal static async Task<StatusV3> GetStatusAsync(PinnedHttp http, CancellationToken cancellation) =>
        RestAnswer.Data(await http.GetAsync(RestPaths.StatusV3, MaxStatus, cancellation), RestJson.Strict.JSendStatusV3, "the coordinator's status");

    /// <summary>Closes its connections.</summary>
    public void Dispose() => _http.Dispose();
}

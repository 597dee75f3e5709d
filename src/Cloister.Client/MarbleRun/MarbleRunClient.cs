using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Serialization.Metadata;
using Cloister.Protocol;
using Cloister.Protocol.Rest;

namespace Cloister.Client.MarbleRun;

/// <summary>
/// The coordinator's client API on MarbleRun's wire: version 2, and version 1 where the coordinator answers 405. It serves a
/// MarbleRun coordinator and Cloister's alike. Connections go to the given TLS key and no other; who has that key is for
/// <see cref="DeploymentVerifier"/> to say.
/// </summary>
public sealed class MarbleRunClient : IDisposable
{
    private const string V2 = "/api/v2/", V1 = "/";
    private const int MaxShort = 64 << 10, MaxManifest = 16 << 20, MaxSecrets = 64 << 20, NotAllowed = 405;
    private readonly PinnedHttp _http;

    /// <summary>Creates a client.</summary>
    /// <param name="coordinator">The https address of its client API.</param>
    /// <param name="rootKey">The root's SubjectPublicKeyInfo, DER: the key that its TLS connections must have. Null pins whoever answers first, who may be anybody.</param>
    /// <param name="user">The user's certificate with its private key, where a call needs a user of the manifest; the caller keeps owning it.</param>
    /// <param name="options">Bounds and clock.</param>
    public MarbleRunClient(Uri coordinator, ReadOnlyMemory<byte>? rootKey = null, X509Certificate2? user = null, ClientOptions? options = null)
    {
        if (user is { HasPrivateKey: false })
            throw new ArgumentException("The user's certificate has no private key.", nameof(user));
        _http = new PinnedHttp(coordinator, options ?? new ClientOptions(), rootKey, user);
    }

    /// <summary>The TLS key that this client speaks to, DER; known after the first call.</summary>
    public ReadOnlyMemory<byte> PeerKey => _http.PeerKey;

    /// <summary>The coordinator's state.</summary>
    /// <exception cref="ClientException">It cannot be reached, refused, or its TLS key changed.</exception>
    public async Task<MarbleRunStatus> GetStatusAsync(CancellationToken cancellation = default)
    {
        StatusWire wire = Read(await GetAsync("status", MaxShort, cancellation), MarbleRunJson.Default.JSendStatusWire, "the status");
        return new MarbleRunStatus(Needed(wire.Code ?? wire.StatusCode, "the status"), RestAnswer.Printable(wire.Message ?? wire.StatusMessage ?? ""));
    }

    /// <summary>Certificates and quote, not yet believed.</summary>
    /// <param name="nonce">Bytes that the quote must be made over; empty takes what the coordinator has at hand.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="ClientException">It cannot be reached, refused, or knows no nonces.</exception>
    public async Task<MarbleRunQuote> GetQuoteAsync(ReadOnlyMemory<byte> nonce = default, CancellationToken cancellation = default)
    {
        HttpAnswer answer;
        if (nonce.IsEmpty)
        {
            answer = await GetAsync("quote", MaxManifest, cancellation);
        }
        else
        {
            // Go's base64 for URLs is padded.
            string text = Convert.ToBase64String(nonce.Span).Replace('+', '-').Replace('/', '_');
            answer = await _http.GetAsync($"{V2}quote?nonce={Uri.EscapeDataString(text)}", MaxManifest, cancellation);
            if (answer.Status == NotAllowed)
                throw new ClientException(ClientError.RefusedByServer, "The coordinator knows no nonces (it has no /api/v2). Ask without one; its quote may then be old.") { HttpStatus = NotAllowed };
        }
        QuoteWire wire = Read(answer, MarbleRunJson.Default.JSendQuoteWire, "the quote");
        (byte[] intermediate, byte[] root) = CoordinatorCertificates.Read(wire.Cert ?? "");
        return new MarbleRunQuote(intermediate, root, wire.Quote ?? []);
    }

    /// <summary>The manifest in force.</summary>
    /// <exception cref="ClientException">It cannot be reached, or none is in force.</exception>
    public async Task<MarbleRunManifest> GetManifestAsync(CancellationToken cancellation = default)
    {
        ManifestWire wire = Read(await GetAsync("manifest", MaxManifest, cancellation), MarbleRunJson.Default.JSendManifestWire, "the manifest");
        return new MarbleRunManifest(wire.Manifest ?? [], RestAnswer.Printable(wire.ManifestFingerprint ?? wire.ManifestSignature ?? ""), wire.ManifestSignatureRootECDSA ?? []);
    }

    /// <summary>Sets the manifest.</summary>
    /// <returns>Recovery secrets by recovery key, encrypted to it; empty where the manifest names no recovery key.</returns>
    /// <exception cref="ClientException">It was refused, or the coordinator cannot be reached.</exception>
    public async Task<ImmutableDictionary<string, byte[]>> SetManifestAsync(ReadOnlyMemory<byte> manifest, CancellationToken cancellation = default)
    {
        HttpAnswer answer = await PostAsync("manifest", Request(manifest), manifest, cancellation);
        RestAnswer.RequireSuccess(answer, "the setting of the manifest");
        return ReadIfAny(answer, MarbleRunJson.Default.JSendRecoverySecretsWire, "the setting of the manifest")?.RecoverySecrets ?? ImmutableDictionary<string, byte[]>.Empty;
    }

    /// <summary>The update log: one JSON document an event, oldest first. It is the coordinator's word; nothing signs it.</summary>
    /// <exception cref="ClientException">It cannot be reached or refused.</exception>
    public async Task<ImmutableArray<string>> GetUpdateLogAsync(CancellationToken cancellation = default)
    {
        HttpAnswer answer = await _http.GetAsync(V2 + "update", MaxManifest, cancellation);
        if (answer.Status != NotAllowed)
            return Read(answer, MarbleRunJson.Default.JSendUpdateLogWire, "the update log").UpdateLog ?? [];
        string text = Read(await _http.GetAsync(V1 + "update", MaxManifest, cancellation), MarbleRunJson.Default.JSendString, "the update log");
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
    }

    /// <summary>Submits an update: of packages' security versions, or of the whole manifest.</summary>
    /// <exception cref="ClientException">The user may not, the manifest was refused, or the coordinator cannot be reached.</exception>
    public async Task<MarbleRunUpdate> ApplyUpdateAsync(ReadOnlyMemory<byte> manifest, CancellationToken cancellation = default)
    {
        HttpAnswer answer = await PostAsync("update", Request(manifest), manifest, cancellation);
        RestAnswer.RequireSuccess(answer, "the update");
        // Coordinators before v1.8 answer without data.
        return Progress(ReadIfAny(answer, MarbleRunJson.Default.JSendUpdateWire, "the update"));
    }

    /// <summary>Agrees to the pending update.</summary>
    /// <param name="manifest">The update manifest, byte for byte as it was submitted: the agreement is to these bytes.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="ClientException">The user may not, it is another manifest, none is pending, or the coordinator cannot be reached.</exception>
    public async Task<MarbleRunUpdate> AcknowledgeUpdateAsync(ReadOnlyMemory<byte> manifest, CancellationToken cancellation = default)
    {
        HttpAnswer answer = await _http.PostAsync(V2 + "update-manifest", Request(manifest), MaxManifest, cancellation);
        if (answer.Status != NotAllowed)
            return Progress(Read(answer, MarbleRunJson.Default.JSendUpdateWire, "the acknowledgement"));
        string said = Read(await _http.PostAsync(V1 + "update-manifest", manifest, MaxManifest, cancellation), MarbleRunJson.Default.JSendString, "the acknowledgement");
        string count = said.Split(' ', 2)[0];
        if (count == "All")
            return new MarbleRunUpdate(0, [], ImmutableDictionary<string, byte[]>.Empty);
        return int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int missing)
            ? new MarbleRunUpdate(missing, [], ImmutableDictionary<string, byte[]>.Empty)
            : throw new ClientException(ClientError.AnswerMalformed, "The answer to the acknowledgement does not say how many users are missing.");
    }

    /// <summary>Withdraws the pending update.</summary>
    /// <exception cref="ClientException">The user may not, none is pending, or the coordinator cannot be reached.</exception>
    public async Task CancelUpdateAsync(CancellationToken cancellation = default) =>
        RestAnswer.RequireSuccess(await PostAsync("update-cancel", default, default, cancellation), "the cancellation");

    /// <summary>The update that waits for users to agree.</summary>
    /// <exception cref="ClientException">None is pending (<see cref="ClientException.HttpStatus"/> 404), or the coordinator cannot be reached.</exception>
    public async Task<MarbleRunPendingUpdate> GetPendingUpdateAsync(CancellationToken cancellation = default)
    {
        UpdateWire wire = Read(await GetAsync("update-manifest", MaxManifest, cancellation), MarbleRunJson.Default.JSendUpdateWire, "the pending update");
        return new MarbleRunPendingUpdate(wire.Manifest ?? [], Users(wire), RestAnswer.Printable(wire.Message ?? ""));
    }

    /// <summary>Reads secrets that the user may read.</summary>
    /// <exception cref="ClientException">The user may not read one of them, or the coordinator cannot be reached.</exception>
    public async Task<IReadOnlyDictionary<string, SecretReading>> GetSecretsAsync(IReadOnlyList<string> names, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentOutOfRangeException.ThrowIfZero(names.Count, nameof(names));
        string path = "secrets?" + string.Join('&', names.Select(name => "s=" + Uri.EscapeDataString(name)));
        HttpAnswer answer = await _http.GetAsync(V2 + path, MaxSecrets, cancellation), old = default;
        try
        {
            if (answer.Status != NotAllowed)
                return Readings(Read(answer, MarbleRunJson.Default.JSendSecretsWire, "the reading of secrets").Secrets);
            old = await _http.GetAsync(V1 + path, MaxSecrets, cancellation);
            return Readings(Read(old, MarbleRunJson.Default.JSendSecretMap, "the reading of secrets"));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(answer.Body);
            CryptographicOperations.ZeroMemory(old.Body);
        }
    }

    /// <summary>
    /// Uploads user-defined secrets, all or none, under whatever manifest is in force: this wire cannot bind them to the one that
    /// was verified, <see cref="CoordinatorClient.SetSecretsAsync"/> does.
    /// </summary>
    /// <exception cref="ClientException">The user may not write one of them, one is not what the manifest says, or the coordinator cannot be reached.</exception>
    public async Task SetSecretsAsync(IReadOnlyDictionary<string, SecretValue> secrets, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(secrets);
        ImmutableDictionary<string, SecretValue> map = secrets.ToImmutableDictionary(StringComparer.Ordinal);
        byte[] current = RestJson.Write(new SecretsRequest(map), MarbleRunJson.Default.SecretsRequest), old = RestJson.Write(map, MarbleRunJson.Default.SecretValues);
        try
        {
            RestAnswer.RequireSuccess(await PostAsync("secrets", current, old, cancellation), "the upload of secrets");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(current);
            CryptographicOperations.ZeroMemory(old);
        }
    }

    /// <summary>Hands in one share of the recovery secret.</summary>
    /// <param name="secret">The share, plain, or encrypted to <see cref="GetRecoveryKeyAsync"/>'s key.</param>
    /// <param name="signature">Over the plain share: PKCS#1 v1.5 with SHA-256, by a recovery key of the manifest.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="ClientException">The share or its signature was refused, the coordinator waits for none, or cannot be reached.</exception>
    public async Task<MarbleRunRecovery> RecoverAsync(ReadOnlyMemory<byte> secret, ReadOnlyMemory<byte> signature, CancellationToken cancellation = default)
    {
        byte[] body = RestJson.Write(new RecoveryRequest(secret.ToArray(), signature.ToArray()), MarbleRunJson.Default.RecoveryRequest);
        try
        {
            RecoveryWire wire = Read(await _http.PostAsync(V2 + "recover", body, MaxShort, cancellation), MarbleRunJson.Default.JSendRecoveryWire, "the recovery");
            return new MarbleRunRecovery(Needed(wire.Remaining, "the recovery"), RestAnswer.Printable(wire.Message ?? ""));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(body);
        }
    }

    /// <summary>The key that shares are encrypted to on their way: SubjectPublicKeyInfo of an RSA key, DER. The coordinator forgets it when it ends.</summary>
    /// <exception cref="ClientException">The coordinator waits for no recovery, or cannot be reached.</exception>
    public async Task<byte[]> GetRecoveryKeyAsync(CancellationToken cancellation = default)
    {
        byte[] key = Read(await _http.GetAsync(V2 + "recover/public-key", MaxShort, cancellation), MarbleRunJson.Default.JSendRecoveryKeyWire, "the recovery key").EphemeralPublicKey ?? [];
        using var rsa = RSA.Create();
        try
        {
            rsa.ImportSubjectPublicKeyInfo(key, out int read);
            return read == key.Length ? key : throw new CryptographicException("more follows it");
        }
        catch (CryptographicException error)
        {
            throw new ClientException(ClientError.AnswerMalformed, $"The coordinator's recovery key is no RSA key: {error.Message}", error);
        }
    }

    private async Task<HttpAnswer> GetAsync(string path, int limit, CancellationToken cancellation)
    {
        HttpAnswer answer = await _http.GetAsync(V2 + path, limit, cancellation);
        return answer.Status == NotAllowed ? await _http.GetAsync(V1 + path, limit, cancellation) : answer;
    }

    private async Task<HttpAnswer> PostAsync(string path, ReadOnlyMemory<byte> current, ReadOnlyMemory<byte> old, CancellationToken cancellation)
    {
        HttpAnswer answer = await _http.PostAsync(V2 + path, current, MaxManifest, cancellation);
        return answer.Status == NotAllowed ? await _http.PostAsync(V1 + path, old, MaxManifest, cancellation) : answer;
    }

    private static byte[] Request(ReadOnlyMemory<byte> manifest) => RestJson.Write(new ManifestRequest(manifest.ToArray()), MarbleRunJson.Default.ManifestRequest);

    private static MarbleRunUpdate Progress(UpdateWire? wire) =>
        new(wire?.MissingAcknowledgments ?? 0, wire is null ? [] : Users(wire), wire?.RecoverySecrets ?? ImmutableDictionary<string, byte[]>.Empty);

    private static ImmutableArray<string> Users(UpdateWire wire) => wire.MissingUsers is { IsDefault: false } users ? [.. users.Select(RestAnswer.Printable)] : [];

    private static Dictionary<string, SecretReading> Readings(ImmutableDictionary<string, SecretWire>? secrets) => (secrets ?? ImmutableDictionary<string, SecretWire>.Empty)
        .ToDictionary(secret => secret.Key, secret => Reading(secret.Value), StringComparer.Ordinal);

    private static SecretReading Reading(SecretWire wire) =>
        new(RestAnswer.Printable(wire.Type ?? ""), wire.Size, wire.Shared, wire.UserDefined, wire.Cert is { Length: > 0 } cert ? cert : null, wire.ValidFor, wire.Private, wire.Public);

    private static T Read<T>(HttpAnswer answer, JsonTypeInfo<JSend<T>> type, string what)
        where T : class => RestAnswer.Data(answer, type, what);

    private static T? ReadIfAny<T>(HttpAnswer answer, JsonTypeInfo<JSend<T>> type, string what)
        where T : class
    {
        if (answer.Body.Length == 0)
            return null;
        try
        {
            return RestJson.Read(answer.Body, type, int.MaxValue).Data;
        }
        catch (ProtocolException error)
        {
            throw new ClientException(ClientError.AnswerMalformed, $"The answer to {what} is not the expected document: {error.Message}", error);
        }
    }

    private static int Needed(int? number, string what) => number ?? throw new ClientException(ClientError.AnswerMalformed, $"The answer to {what} lacks its number.");

    /// <summary>Closes its connections.</summary>
    public void Dispose() => _http.Dispose();
}

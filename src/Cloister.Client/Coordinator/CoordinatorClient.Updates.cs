using System.Collections.Immutable;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;

namespace Cloister.Client;

/// <content>Updates of the manifest, and the secrets that they withhold.</content>
public sealed partial class CoordinatorClient
{
    /// <summary>The update log: one JSON document an event, oldest first.</summary>
    /// <exception cref="ClientException">No manifest is in force, or it cannot be reached.</exception>
    public async Task<ImmutableList<string>> GetUpdateLogAsync(CancellationToken cancellation = default) =>
        RestAnswer.Data(await _http.GetAsync(RestPaths.UpdateV3, MaxManifest, cancellation), RestJson.Strict.JSendUpdateLogV2, "the update log").UpdateLog;

    /// <summary>Submits an update: packages alone raise their security versions, any other manifest is to replace the one in force.</summary>
    /// <param name="manifest">The manifest's exact bytes.</param>
    /// <param name="signatures">Its owners' signatures, where the coordinator demands them.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="ClientException">The user may not, the manifest was refused, or it cannot be reached.</exception>
    public async Task<UpdateResultV3> UpdateAsync(ReadOnlyMemory<byte> manifest, IReadOnlyList<OwnerSignature> signatures, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(signatures);
        var body = new UpdateV3(manifest.ToArray(), [.. signatures.Select(s => new OwnerSignatureV3(s.PublicKey.ToArray(), s.Signature.ToArray()))]);
        return RestAnswer.Data(await _http.PostAsync(RestPaths.UpdateV3, RestJson.Write(body, RestJson.Strict.UpdateV3), MaxManifest, cancellation), RestJson.Strict.JSendUpdateResultV3, "the update");
    }

    /// <summary>The update that waits for users to agree.</summary>
    /// <exception cref="ClientException">None is pending, or it cannot be reached.</exception>
    public async Task<PendingUpdateV3> GetPendingUpdateAsync(CancellationToken cancellation = default)
    {
        PendingUpdateV3 pending = RestAnswer.Data(await _http.GetAsync(RestPaths.PendingUpdateV3, MaxManifest, cancellation), RestJson.Strict.JSendPendingUpdateV3, "the pending update");
        return pending.Fingerprint == ManifestFingerprint.Of(pending.Manifest) ? pending
            : throw new ClientException(ClientError.AnswerMalformed, "The pending manifest that came has another fingerprint than the coordinator says.");
    }

    /// <summary>Agrees to the pending update.</summary>
    /// <param name="manifest">The pending manifest, byte for byte: the agreement is to these bytes.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="ClientException">The user may not, it is another manifest, none is pending, or it cannot be reached.</exception>
    public async Task<UpdateResultV3> AcknowledgeUpdateAsync(ReadOnlyMemory<byte> manifest, CancellationToken cancellation = default)
    {
        byte[] body = RestJson.Write(new AcknowledgeUpdateV3(manifest.ToArray()), RestJson.Strict.AcknowledgeUpdateV3);
        return RestAnswer.Data(await _http.PostAsync(RestPaths.PendingUpdateV3, body, MaxManifest, cancellation), RestJson.Strict.JSendUpdateResultV3, "the acknowledgement");
    }

    /// <summary>Withdraws the pending update of this fingerprint; another one that came in between is left alone.</summary>
    /// <exception cref="ClientException">The user may not, none such is pending, or it cannot be reached.</exception>
    public async Task CancelUpdateAsync(string fingerprint, CancellationToken cancellation = default) =>
        RestAnswer.RequireSuccess(await _http.PostAsync(RestPaths.CancelUpdateV3, RestJson.Write(new CancelUpdateV3(fingerprint), RestJson.Strict.CancelUpdateV3), MaxStatus, cancellation), "the cancellation");

    /// <summary>Agrees, as their owner, that workloads get secrets that an update withholds, under the manifest that was verified and no other.</summary>
    /// <param name="names">The secrets.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="InvalidOperationException">No manifest was in force when the deployment was verified.</exception>
    /// <exception cref="ClientException">The user may not, another manifest is in force, or it cannot be reached.</exception>
    public async Task AcknowledgeSecretsAsync(IReadOnlyList<string> names, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (_deployment.Manifest is null)
            throw new InvalidOperationException("No manifest was in force when the deployment was verified.");
        byte[] body = RestJson.Write(new AcknowledgeSecretsV3(_deployment.Fingerprint, [.. names]), RestJson.Strict.AcknowledgeSecretsV3);
        RestAnswer.RequireSuccess(await _http.PostAsync(RestPaths.AcknowledgeSecretsV3, body, MaxStatus, cancellation), "the acknowledgement of secrets");
    }
}

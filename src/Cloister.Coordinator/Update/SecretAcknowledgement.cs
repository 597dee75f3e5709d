using System.Collections.Immutable;
using Cloister.Coordinator.Secrets;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Update;

/// <summary>
/// The owner's word that a secret may be used under a new manifest. Only the certificate that released the secret gives it: the update
/// may have given the role that writes it to anybody. Whoever has that role otherwise uploads the secret again, if he has it.
/// </summary>
internal sealed class SecretAcknowledgement(LiveState state, TimeProvider time, ILogger logger)
{
    private const int MaxNames = 1000;

    /// <summary>Releases all of the secrets or none under the manifest named. One that is not withheld stays as it is.</summary>
    /// <exception cref="CoordinatorException">NotAuthenticated, OtherManifest, BadRequest, NotPermitted.</exception>
    public async Task AcknowledgeAsync(ReadOnlyMemory<byte>? certificate, string verifiedFingerprint, ImmutableArray<string> names, CancellationToken cancellation)
    {
        string user = "";
        await state.ChangeAsync(current =>
        {
            ManifestInForce manifest = SecretService.InForce(current);
            user = SecretService.Authenticate(manifest, certificate);
            if (verifiedFingerprint != manifest.Fingerprint)
                throw new CoordinatorException(CoordinatorError.OtherManifest,
                    $"The manifest in force is {manifest.Fingerprint}, not {verifiedFingerprint}, which you verified. Nothing was released; verify the deployment again.");
            if (names.Length is 0 or > MaxNames)
                throw new CoordinatorException(CoordinatorError.BadRequest, $"The request names {names.Length} secrets; between 1 and {MaxNames} are allowed.");
            CoordinatorSnapshot next = current;
            foreach (string name in names.Distinct(StringComparer.Ordinal))
                next = Release(next, manifest, user, certificate, name);
            return next;
        }, cancellation);
        foreach (string name in names)
            logger.SecretAcknowledged(name, user);
    }

    /// <summary>Whether a certificate is the one that released a secret.</summary>
    public static bool IsOwner(CoordinatorSnapshot snapshot, string secret, ReadOnlyMemory<byte>? certificate) =>
        certificate is { } der && snapshot.Releases.TryGetValue(secret, out SecretRelease? release) && release.Owner == SecretRelease.OwnerOf(der.Span);

    private CoordinatorSnapshot Release(CoordinatorSnapshot current, ManifestInForce manifest, string user, ReadOnlyMemory<byte>? certificate, string name)
    {
        SecretService.Permit(manifest.Document, user, ManifestActions.WriteSecret, name);
        if (!current.Withheld.ContainsKey(name))
            return current;
        if (!IsOwner(current, name, certificate))
            throw new CoordinatorException(CoordinatorError.NotPermitted,
                $"Secret '{name}' was uploaded with another certificate than user '{user}' shows; only that one acknowledges a manifest for it. Upload the secret again instead.");
        return current with
        {
            Withheld = current.Withheld.Remove(name),
            Releases = current.Releases.SetItem(name, current.Releases[name] with { Fingerprint = manifest.Fingerprint }),
            UpdateLog = current.UpdateLog.Add(UpdateLog.SecretAcknowledged(time.GetUtcNow(), user, name, manifest.Fingerprint)),
        };
    }
}

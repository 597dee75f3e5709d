using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Update;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Secrets;

/// <summary>Users' secrets: who may write and read them, and what they may be.</summary>
internal sealed class SecretService(LiveState state, TimeProvider time, ILogger<SecretService> logger)
{
    internal const int MaxPlainBytes = 1 << 20, MaxNames = 1000;

    /// <inheritdoc cref="RequireUser(CoordinatorSnapshot, ReadOnlyMemory{byte}?)"/>
    public void RequireUser(ReadOnlyMemory<byte>? certificate) => RequireUser(state.Current, certificate);

    /// <summary>
    /// Sets all of the secrets or none. <paramref name="verifiedFingerprint"/> is the manifest that the uploader verified;
    /// null, on MarbleRun's wire only, means that it did not say. The values' arrays are this object's from now on.
    /// </summary>
    public async Task SetAsync(ReadOnlyMemory<byte>? clientCertificate, ImmutableDictionary<string, SecretValue> secrets, string? verifiedFingerprint, CancellationToken cancellation)
    {
        string user;
        try
        {
            user = await StoreAsync(clientCertificate, secrets, verifiedFingerprint, cancellation);
        }
        catch (CoordinatorException)
        {
            // Nothing was stored. After a failed write it is not known, and a key that may be in force is not zeroed.
            foreach (SecretValue value in secrets.Values)
                CryptographicOperations.ZeroMemory(value?.Key);
            throw;
        }
        finally
        {
            // A certificate's key was copied in the form in which it is kept.
            foreach (SecretValue value in secrets.Values)
                CryptographicOperations.ZeroMemory(value?.Private);
        }
        foreach (string name in secrets.Keys)
            logger.SecretSet(name, user);
    }

    private async Task<string> StoreAsync(ReadOnlyMemory<byte>? clientCertificate, ImmutableDictionary<string, SecretValue> secrets, string? verifiedFingerprint, CancellationToken cancellation)
    {
        string user = "";
        await state.ChangeAsync(current =>
        {
            ManifestInForce manifest = InForce(current);
            user = Authenticate(manifest, clientCertificate);
            // In the same transaction as the write: no manifest can come between what was verified and what receives the key.
            if (verifiedFingerprint is not null && verifiedFingerprint != manifest.Fingerprint)
                throw new CoordinatorException(CoordinatorError.OtherManifest,
                    $"The manifest in force is {manifest.Fingerprint}, not {verifiedFingerprint}, which you verified. Nothing was stored; verify the deployment again before you release a secret.");
            // MarbleRun reads values first and asks for the right to write them last; on our own wire who may not write learns nothing.
            if (verifiedFingerprint is not null)
                PermitAll(manifest.Document, user, secrets.Keys);
            if (secrets.Count > MaxNames || (secrets.IsEmpty && verifiedFingerprint is not null))
                throw new CoordinatorException(CoordinatorError.BadRequest, $"The request names {secrets.Count} secrets; between 1 and {MaxNames} are allowed.");
            ImmutableSortedDictionary<string, SecretMaterial> read = SecretIntake.Read(manifest.Document, secrets);
            PermitAll(manifest.Document, user, secrets.Keys);
            ImmutableDictionary<string, SecretRelease> releases = current.Releases;
            var log = current.UpdateLog.ToBuilder();
            foreach (string name in read.Keys)
            {
                releases = verifiedFingerprint is null
                    ? releases.Remove(name)
                    : releases.SetItem(name, new SecretRelease(verifiedFingerprint, SecretRelease.OwnerOf(clientCertificate!.Value.Span)));
                log.Add(UpdateLog.SecretSet(time.GetUtcNow(), user, name, manifest.Document.Secrets[name].Type));
            }
            return current with { Secrets = current.Secrets.SetItems(read), Releases = releases, Withheld = current.Withheld.RemoveRange(secrets.Keys), UpdateLog = log.ToImmutable() };
        }, cancellation);
        return user;
    }

    /// <summary>Reads secrets that are the same for every workload. One that is not set has no keys.</summary>
    public ImmutableDictionary<string, SecretReading> Get(ReadOnlyMemory<byte>? clientCertificate, IReadOnlyCollection<string> names)
    {
        CoordinatorSnapshot current = state.Current;
        ManifestInForce manifest = InForce(current);
        string user = Authenticate(manifest, clientCertificate);
        if (names.Count == 0)
            throw new CoordinatorException(CoordinatorError.BadRequest, "invalid query: endpoint requires at least one query parameter");
        if (names.Count > MaxNames || names.Any(string.IsNullOrEmpty))
            throw new CoordinatorException(CoordinatorError.BadRequest, "malformed query string: empty query parameter");
        if (names.Any(name => !manifest.Document.Allows(user, ManifestActions.ReadSecret, ManifestActions.Secrets, name) || !manifest.Document.Secrets.ContainsKey(name)))
            throw new CoordinatorException(CoordinatorError.NotPermitted, $"user {user} is not allowed to read one or more secrets of: [{string.Join(' ', names)}]");
        var readings = ImmutableDictionary.CreateBuilder<string, SecretReading>(StringComparer.Ordinal);
        foreach (string name in names)
        {
            ManifestSecret definition = manifest.Document.Secrets[name];
            // While it is withheld only its owner reads it: the update may have named new readers.
            SecretMaterial? value = SecretAcknowledgement.IsOwner(current, name, clientCertificate) ? current.Secrets.GetValueOrDefault(name) : current.Granted(name);
            readings[name] = Reading(definition, value) with { Withheld = current.Withheld.ContainsKey(name) };
        }
        logger.SecretsRead(names.Count, user);
        return readings.ToImmutable();
    }

    private static SecretReading Reading(ManifestSecret definition, SecretMaterial? value)
    {
        // MarbleRun writes its default into the certificates that it makes.
        bool byDefault = SharedSecrets.IsMade(definition) && SecretCertificate.IsType(definition.Type) && definition is { ValidFor: 0, Certificate.NotAfter: null };
        return new SecretReading(definition.Type, Saturated(definition.Size), definition.Shared, definition.UserDefined,
            Bytes(value?.Certificate), byDefault ? ManifestSecret.DefaultDays : Saturated(definition.ValidFor), Bytes(value?.Private), Bytes(value?.Public));
    }

    // What is not there is null and not empty.
    private static byte[]? Bytes(ReadOnlyMemory<byte>? part) => part is { IsEmpty: false } bytes ? bytes.ToArray() : null;

    private static void PermitAll(ManifestDocument manifest, string user, IEnumerable<string> names)
    {
        foreach (string name in names.Order(StringComparer.Ordinal))
            if (!manifest.Allows(user, ManifestActions.WriteSecret, ManifestActions.Secrets, name))
                throw new CoordinatorException(CoordinatorError.NotPermitted, $"user {user} is not allowed to update secret: {name}");
    }

    internal static ManifestSecret Permit(ManifestDocument manifest, string user, string action, string name)
    {
        // The permission first: who may not touch a secret does not learn whether it exists.
        if (!manifest.Allows(user, action, ManifestActions.Secrets, name) || !manifest.Secrets.TryGetValue(name, out ManifestSecret? definition))
            throw new CoordinatorException(CoordinatorError.NotPermitted,
                $"User '{user}' has no role with {action} on secret '{name}'. The manifest grants roles; check the name.");
        return definition;
    }

    /// <summary>MarbleRun looks at the user before its state and the request; without a manifest nobody is one.</summary>
    /// <exception cref="CoordinatorException">NotAuthenticated.</exception>
    internal static void RequireUser(CoordinatorSnapshot snapshot, ReadOnlyMemory<byte>? certificate)
    {
        if (snapshot is not { State: CoordinatorState.AcceptingMarbles, Manifest: { } manifest })
            throw new CoordinatorException(CoordinatorError.NotAuthenticated, "There is no manifest, and so no user.");
        Authenticate(manifest, certificate);
    }

    internal static string Authenticate(ManifestInForce manifest, ReadOnlyMemory<byte>? certificate)
    {
        return (certificate is { } der ? manifest.Document.UserOf(der.Span) : null)
            ?? throw new CoordinatorException(CoordinatorError.NotAuthenticated, "unauthorized user: client certificate did not match any MarbleRun users");
    }

    internal static ManifestInForce InForce(CoordinatorSnapshot snapshot) =>
        snapshot is { State: CoordinatorState.AcceptingMarbles, Manifest: { } manifest }
            ? manifest
            : throw new CoordinatorException(CoordinatorError.WrongState, $"The coordinator has no manifest in force ({StatusText.Of(snapshot.State)}).");

    // The manifest's numbers have 64 bits, the contract's 32; only a size nobody can use is cut.
    private static uint Saturated(ulong value) => (uint)Math.Min(value, uint.MaxValue);

    private static CoordinatorException Refused(string name, string why) => new(CoordinatorError.SecretRefused, $"Secret '{name}' was refused: {why}.");
}

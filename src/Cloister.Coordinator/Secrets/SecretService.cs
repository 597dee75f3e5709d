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
            if (secrets.Count is 0 or > MaxNames)
                throw new CoordinatorException(CoordinatorError.BadRequest, $"The request names {secrets.Count} secrets; between 1 and {MaxNames} are allowed.");
            var values = current.Secrets.ToBuilder();
            var releases = current.Releases;
            var log = current.UpdateLog.ToBuilder();
            foreach ((string name, SecretValue value) in secrets.OrderBy(secret => secret.Key, StringComparer.Ordinal))
            {
                ManifestSecret definition = Permit(manifest.Document, user, ManifestActions.WriteSecret, name);
                values[name] = Check(name, definition, value);
                releases = verifiedFingerprint is null
                    ? releases.Remove(name)
                    : releases.SetItem(name, new SecretRelease(verifiedFingerprint, SecretRelease.OwnerOf(clientCertificate!.Value.Span)));
                log.Add(UpdateLog.SecretSet(time.GetUtcNow(), user, name, definition.Type));
            }
            return current with { Secrets = values.ToImmutable(), Releases = releases, Withheld = current.Withheld.RemoveRange(secrets.Keys), UpdateLog = log.ToImmutable() };
        }, cancellation);
        return user;
    }

    /// <summary>Reads secrets that are the same for every workload. One that is not set has no keys.</summary>
    public ImmutableDictionary<string, SecretReading> Get(ReadOnlyMemory<byte>? clientCertificate, IReadOnlyCollection<string> names)
    {
        CoordinatorSnapshot current = state.Current;
        ManifestInForce manifest = InForce(current);
        string user = Authenticate(manifest, clientCertificate);
        if (names.Count is 0 or > MaxNames || names.Any(string.IsNullOrEmpty))
            throw new CoordinatorException(CoordinatorError.BadRequest, "The query names no secret: ask with ?s=NAME, more than once for several.");
        var readings = ImmutableDictionary.CreateBuilder<string, SecretReading>(StringComparer.Ordinal);
        foreach (string name in names)
        {
            ManifestSecret definition = Permit(manifest.Document, user, ManifestActions.ReadSecret, name);
            // While it is withheld only its owner reads it: the update may have named new readers.
            SecretMaterial? value = SecretAcknowledgement.IsOwner(current, name, clientCertificate) ? current.Secrets.GetValueOrDefault(name) : current.Granted(name);
            readings[name] = Reading(definition, value) with { Withheld = current.Withheld.ContainsKey(name) };
        }
        logger.SecretsRead(names.Count, user);
        return readings.ToImmutable();
    }

    /// <summary>The value as it is kept, or a refusal that names the secret and what is wrong.</summary>
    internal static SecretMaterial Check(string name, ManifestSecret definition, SecretValue value)
    {
        if (!definition.UserDefined)
            throw new CoordinatorException(CoordinatorError.UnknownSecret, $"Secret '{name}' is not user-defined: the coordinator makes it.");
        if (SecretCertificate.IsType(definition.Type))
            return CheckCertificate(name, definition, value);
        if (value is not { Key: { } key, Cert: null, Private: null })
            throw Refused(name, $"a secret of type {definition.Type} has the member Key alone");
        if (definition.Type == ManifestSecretTypes.SymmetricKey && (ulong)key.Length * 8 != definition.Size)
            throw Refused(name, $"it has {key.Length * 8L} bits, the manifest says {definition.Size}");
        if (definition.Type == ManifestSecretTypes.Plain && key.Length is 0 or > MaxPlainBytes)
            throw Refused(name, $"it has {key.Length} bytes; 1 to {MaxPlainBytes} are allowed");
        return SecretMaterial.OfKey(key);
    }

    private static SecretMaterial CheckCertificate(string name, ManifestSecret definition, SecretValue value)
    {
        if (value is not { Key: null, Cert: { } certificate })
            throw Refused(name, $"a secret of type {definition.Type} has the members Cert and Private");
        return UploadedCertificate.Read(definition.Type, certificate, value.Private, out string reason) ?? throw Refused(name, reason);
    }

    private static SecretReading Reading(ManifestSecret definition, SecretMaterial? value)
    {
        // MarbleRun writes its default into the certificates that it makes.
        bool byDefault = SharedSecrets.IsMade(definition) && SecretCertificate.IsType(definition.Type) && definition is { ValidFor: 0, Certificate.NotAfter: null };
        return new SecretReading(definition.Type, Saturated(definition.Size), definition.Shared, definition.UserDefined,
            byDefault ? ManifestSecret.DefaultDays : Saturated(definition.ValidFor), Bytes(value?.Certificate), Bytes(value?.Private), Bytes(value?.Public));
    }

    // What is not there is null and not empty.
    private static byte[]? Bytes(ReadOnlyMemory<byte>? part) => part is { IsEmpty: false } bytes ? bytes.ToArray() : null;

    internal static ManifestSecret Permit(ManifestDocument manifest, string user, string action, string name)
    {
        // The permission first: who may not touch a secret does not learn whether it exists.
        if (!manifest.Allows(user, action, ManifestActions.Secrets, name) || !manifest.Secrets.TryGetValue(name, out ManifestSecret? definition))
            throw new CoordinatorException(CoordinatorError.NotPermitted,
                $"User '{user}' has no role with {action} on secret '{name}'. The manifest grants roles; check the name.");
        return definition;
    }

    internal static string Authenticate(ManifestInForce manifest, ReadOnlyMemory<byte>? certificate)
    {
        if (certificate is not { } der)
            throw new CoordinatorException(CoordinatorError.NotAuthenticated, "This request needs a client certificate in the TLS handshake: that of a user in the manifest.");
        return manifest.Document.UserOf(der.Span)
            ?? throw new CoordinatorException(CoordinatorError.NotAuthenticated, "The client certificate belongs to no user of the manifest; it must equal one byte for byte.");
    }

    internal static ManifestInForce InForce(CoordinatorSnapshot snapshot) =>
        snapshot is { State: CoordinatorState.AcceptingMarbles, Manifest: { } manifest }
            ? manifest
            : throw new CoordinatorException(CoordinatorError.WrongState, $"The coordinator has no manifest in force ({StatusText.Of(snapshot.State)}).");

    // The manifest's numbers have 64 bits, the contract's 32; only a size nobody can use is cut.
    private static uint Saturated(ulong value) => (uint)Math.Min(value, uint.MaxValue);

    private static CoordinatorException Refused(string name, string why) => new(CoordinatorError.SecretRefused, $"Secret '{name}' was refused: {why}.");
}

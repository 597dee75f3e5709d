using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.Recovery;
using Cloister.Coordinator.Stores;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.State;

/// <summary>A snapshot as store records, named as MarbleRun names its own; docs/formats/state.md, part 3.</summary>
internal static class SnapshotRecords
{
    private const string StateKey = "state", RootSecretKey = "rootSecret", ManifestKey = "manifest", ManifestInfoKey = "manifestInfo";
    private const string PreviousRootSecretKey = "previousRootSecret", PendingKey = "pendingUpdate";

    /// <summary>Also copied in clear.</summary>
    internal const string RecoveryKey = SealedStore.ClearPrefix + "recovery";

    private const string SecretPrefix = "secret:", SecretCertificatePrefix = "secretCertificate:";
    private const string PreviousPrefix = "previousSecret:", PreviousCertificatePrefix = "previousSecretCertificate:";
    private const string ReleasePrefix = "release:", WithheldPrefix = "withheld:", SecurityVersionPrefix = "securityVersion:", CounterPrefix = "counter:";
    private const string ActivationsPrefix = "activations:", DiskPrefix = "disk:";
    private const string Root = "root", Intermediate = "intermediate", MarbleRoot = "marbleRoot", PreviousMarbleRoots = "previousMarbleRoots";

    /// <summary>What has to be written to get from one snapshot to the next; committed only if nobody wrote in between.</summary>
    public static StoreTransaction Difference(CoordinatorSnapshot? before, CoordinatorSnapshot after)
    {
        // Every commit writes this record, so its version is the snapshot's.
        var transaction = new StoreTransaction()
            .Require(StateKey, before?.Version ?? 0)
            .Put(StateKey, JsonSerializer.SerializeToUtf8Bytes(new StoredState(StoredState.CurrentFormat, (int)after.State), StoredJson.Strict.StoredState));
        if (!ReferenceEquals(before?.Authority, after.Authority))
            PutAuthority(transaction, after.Authority);
        PutValue(transaction, RootSecretKey, before?.RootSecret ?? default, after.RootSecret);
        PutValue(transaction, PreviousRootSecretKey, before?.PreviousRootSecret ?? default, after.PreviousRootSecret);
        if (after.Manifest is { } manifest && !ReferenceEquals(before?.Manifest, manifest))
            PutManifest(transaction, manifest);
        PutUpdate(transaction, before?.Pending, after.Pending);
        PutRecovery(transaction, before, after);
        PutSecrets(transaction, SecretPrefix, SecretCertificatePrefix, before?.Secrets, after.Secrets);
        PutSecrets(transaction, PreviousPrefix, PreviousCertificatePrefix, before?.PreviousSecrets, after.PreviousSecrets);
        PutEntries(transaction, ReleasePrefix, before?.Releases, after.Releases, static release => JsonSerializer.SerializeToUtf8Bytes(release, StoredJson.Strict.SecretRelease));
        PutEntries(transaction, WithheldPrefix, before?.Withheld, after.Withheld, static fingerprint => Encoding.ASCII.GetBytes(fingerprint));
        PutEntries(transaction, SecurityVersionPrefix, before?.SecurityVersions, after.SecurityVersions, Number);
        PutEntries(transaction, CounterPrefix, before?.Counters, after.Counters, Number);
        PutEntries(transaction, DiskPrefix, before?.Disks, after.Disks, Disk);
        PutEntries(transaction, ActivationsPrefix, before?.Activations, after.Activations, static count => Number((ulong)count));
        UpdateLogRecords.Put(transaction, before?.UpdateLog.Count ?? 0, after.UpdateLog);
        return transaction;
    }

    /// <summary>The snapshot that the records hold, or null if there are none. Throws <see cref="StoreException"/> where they make no sense.</summary>
    public static CoordinatorSnapshot? Read(IReadOnlyDictionary<string, StoreRecord> records)
    {
        if (records.Count == 0)
            return null;
        try
        {
            StoreRecord stateRecord = Record(records, StateKey);
            StoredState state = Json(stateRecord, StoredJson.Strict.StoredState);
            if (state.Format > StoredState.CurrentFormat)
                throw new StoreException(StoreError.NewerFormat, $"The state has format {state.Format}; this program reads up to {StoredState.CurrentFormat}. Start the newer program again.");
            return new CoordinatorSnapshot
            {
                Version = stateRecord.Version,
                State = (CoordinatorState)state.State,
                Authority = ReadAuthority(records),
                RootSecret = Record(records, RootSecretKey).Value,
                Manifest = records.ContainsKey(ManifestKey) ? ReadManifest(records) : null,
                PreviousRootSecret = records.TryGetValue(PreviousRootSecretKey, out StoreRecord? previous) ? previous.Value : default,
                Secrets = ReadSecrets(records, SecretPrefix, SecretCertificatePrefix),
                PreviousSecrets = ReadSecrets(records, PreviousPrefix, PreviousCertificatePrefix),
                Releases = ReadEntries(records, ReleasePrefix, static (_, value) => JsonSerializer.Deserialize(value.Span, StoredJson.Strict.SecretRelease) ?? throw new JsonException("null")),
                Withheld = ReadEntries(records, WithheldPrefix, static (_, value) => Encoding.ASCII.GetString(value.Span)),
                SecurityVersions = ReadEntries(records, SecurityVersionPrefix, static (_, value) => Number(value)),
                Pending = records.TryGetValue(PendingKey, out StoreRecord? pending) ? ReadUpdate(pending) : null,
                Recovery = records.TryGetValue(RecoveryKey, out StoreRecord? recovery) ? ReadRecovery(recovery) : null,
                Counters = ReadEntries(records, CounterPrefix, static (_, value) => Number(value)),
                Disks = ReadEntries(records, DiskPrefix, static (_, value) => Disk(value)),
                Activations = ReadEntries(records, ActivationsPrefix, static (_, value) => checked((long)Number(value))),
                UpdateLog = UpdateLogRecords.Read(records),
            };
        }
        catch (Exception error) when (error is JsonException or CryptographicException or ArgumentException or OverflowException)
        {
            throw new StoreException(StoreError.Corrupt, "The state opens, but a record in it cannot be read; this program did not write it.", error);
        }
    }

    private static void PutAuthority(StoreTransaction transaction, CertificateAuthority authority)
    {
        Put(Root, authority.Root);
        Put(Intermediate, authority.Intermediate);
        transaction.Put("certificate:" + MarbleRoot, authority.MarbleRoot.RawData);
        if (authority.PreviousMarbleRoots.IsEmpty)
            transaction.Delete(PreviousMarbleRoots);
        else
            transaction.Put(PreviousMarbleRoots, Encoding.ASCII.GetBytes(string.Join('\n', authority.PreviousMarbleRoots.Select(certificate => certificate.ExportCertificatePem()))));

        void Put(string name, X509Certificate2 certificate)
        {
            using ECDsa key = certificate.GetECDsaPrivateKey()!;
            transaction.Put("certificate:" + name, certificate.RawData).Put("privateKey:" + name, key.ExportPkcs8PrivateKey());
        }
    }

    private static CertificateAuthority ReadAuthority(IReadOnlyDictionary<string, StoreRecord> records)
    {
        var previous = new X509Certificate2Collection();
        if (records.TryGetValue(PreviousMarbleRoots, out StoreRecord? stored))
            previous.ImportFromPem(Encoding.ASCII.GetString(stored.Value.Span));
        return new CertificateAuthority(Join(Root, Root), Join(Intermediate, Intermediate), Join(MarbleRoot, Intermediate), [.. previous]);

        X509Certificate2 Join(string certificateName, string keyName)
        {
            using var key = ECDsa.Create();
            key.ImportPkcs8PrivateKey(Record(records, "privateKey:" + keyName).Value.Span, out _);
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(Record(records, "certificate:" + certificateName).Value.Span);
            return certificate.CopyWithPrivateKey(key);
        }
    }

    private static void PutManifest(StoreTransaction transaction, ManifestInForce manifest)
    {
        var stored = new StoredManifest(manifest.Dialect, manifest.RootSignature.ToArray(),
            [.. manifest.OwnerSignatures.Select(owner => new StoredOwner(owner.PublicKey.ToArray(), owner.Signature.ToArray()))]);
        transaction.Put(ManifestKey, manifest.Bytes).Put(ManifestInfoKey, JsonSerializer.SerializeToUtf8Bytes(stored, StoredJson.Strict.StoredManifest));
    }

    private static ManifestInForce ReadManifest(IReadOnlyDictionary<string, StoreRecord> records)
    {
        ReadOnlyMemory<byte> bytes = Record(records, ManifestKey).Value;
        StoredManifest stored = Json(Record(records, ManifestInfoKey), StoredJson.Strict.StoredManifest);
        ManifestOutcome outcome = ManifestReader.Read(bytes.Span, stored.Dialect);
        if (!outcome.IsAccepted)
            throw new StoreException(StoreError.Corrupt, $"The stored manifest is refused by this program: {outcome.Problems[0].Message}");
        return new ManifestInForce(bytes, ManifestFingerprint.Of(bytes.Span), stored.Dialect, outcome.Document,
            [.. stored.Owners.Select(owner => new OwnerSignature(owner.PublicKey, owner.Signature))], stored.RootSignature);
    }

    private static void PutUpdate(StoreTransaction transaction, PendingUpdate? before, PendingUpdate? after)
    {
        if (ReferenceEquals(before, after))
            return;
        if (after is null)
            transaction.Delete(PendingKey);
        else
            transaction.Put(PendingKey, JsonSerializer.SerializeToUtf8Bytes(new StoredUpdate(after.Manifest.ToArray(), after.Dialect,
                [.. after.OwnerSignatures.Select(owner => new StoredOwner(owner.PublicKey.ToArray(), owner.Signature.ToArray()))], after.Acknowledged), StoredJson.Strict.StoredUpdate));
    }

    private static PendingUpdate ReadUpdate(StoreRecord record)
    {
        StoredUpdate stored = Json(record, StoredJson.Strict.StoredUpdate);
        return new PendingUpdate(stored.Manifest, stored.Dialect, [.. stored.Owners.Select(owner => new OwnerSignature(owner.PublicKey, owner.Signature))], stored.Acknowledged);
    }

    private static void PutRecovery(StoreTransaction transaction, CoordinatorSnapshot? before, CoordinatorSnapshot after)
    {
        if (!ReferenceEquals(before?.Recovery, after.Recovery))
            _ = after.Recovery is { } data ? transaction.Put(RecoveryKey, data.Encode()) : transaction.Delete(RecoveryKey);
        if (!ReferenceEquals(before?.NewDataKey, after.NewDataKey))
            transaction.NewKey = after.NewDataKey;
        transaction.ForgetOnDisk = after.KeepsNothing;
    }

    private static RecoveryData ReadRecovery(StoreRecord record) => RecoveryData.Decode(record.Value.Span) ?? throw new JsonException("recovery data");

    // A certificate is two records: its private key stands where a key would.
    private static void PutSecrets(StoreTransaction transaction, string prefix, string certificatePrefix,
        ImmutableDictionary<string, SecretMaterial>? before, ImmutableDictionary<string, SecretMaterial> after)
    {
        if (ReferenceEquals(before, after))
            return;
        PutEntries(transaction, prefix, before, after, static secret => secret.Private);
        PutEntries(transaction, certificatePrefix, Certificates(before), Certificates(after)!, static secret => secret.Certificate);

        static ImmutableDictionary<string, SecretMaterial>? Certificates(ImmutableDictionary<string, SecretMaterial>? secrets) =>
            secrets?.RemoveRange(secrets.Where(secret => !secret.Value.IsCertificate).Select(secret => secret.Key));
    }

    private static ImmutableDictionary<string, SecretMaterial> ReadSecrets(IReadOnlyDictionary<string, StoreRecord> records, string prefix, string certificatePrefix) =>
        ReadEntries(records, prefix, (name, value) => records.TryGetValue(certificatePrefix + name, out StoreRecord? certificate)
            ? SecretMaterial.OfCertificate(certificate.Value, value)
            : SecretMaterial.OfKey(value));

    private static void PutValue(StoreTransaction transaction, string key, ReadOnlyMemory<byte> before, ReadOnlyMemory<byte> after)
    {
        if (before.Span.SequenceEqual(after.Span))
            return;
        if (after.IsEmpty)
            transaction.Delete(key);
        else
            transaction.Put(key, after);
    }

    private static void PutEntries<T>(StoreTransaction transaction, string prefix, ImmutableDictionary<string, T>? before,
        ImmutableDictionary<string, T> after, Func<T, ReadOnlyMemory<byte>> bytes)
    {
        if (ReferenceEquals(before, after))
            return;
        foreach ((string name, T value) in after)
        {
            if (before is null || !before.TryGetValue(name, out T? old) || !EqualityComparer<T>.Default.Equals(old, value))
                transaction.Put(prefix + name, bytes(value));
        }
        foreach (string name in before?.Keys.Where(name => !after.ContainsKey(name)) ?? [])
            transaction.Delete(prefix + name);
    }

    private static ImmutableDictionary<string, T> ReadEntries<T>(
        IReadOnlyDictionary<string, StoreRecord> records, string prefix, Func<string, ReadOnlyMemory<byte>, T> value) => records
        .Where(record => record.Key.StartsWith(prefix, StringComparison.Ordinal))
        .Select(record => KeyValuePair.Create(record.Key[prefix.Length..], record.Value.Value))
        .ToImmutableDictionary(record => record.Key, record => value(record.Key, record.Value), StringComparer.Ordinal);

    private static ReadOnlyMemory<byte> Number(ulong number)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, number);
        return bytes;
    }

    private static ulong Number(ReadOnlyMemory<byte> bytes) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.Span);

    private static ReadOnlyMemory<byte> Disk(DiskRecord disk) => (byte[])[.. Number(disk.Version).Span, .. Convert.FromHexString(disk.Digest)];

    private static DiskRecord Disk(ReadOnlyMemory<byte> bytes) => bytes.Length == 40
        ? new DiskRecord(Number(bytes[..8]), Convert.ToHexStringLower(bytes[8..].Span))
        : throw new JsonException("disk");

    private static StoreRecord Record(IReadOnlyDictionary<string, StoreRecord> records, string key) =>
        records.TryGetValue(key, out StoreRecord? record) ? record : throw new StoreException(StoreError.Corrupt, $"The state has no record '{key}'.");

    private static T Json<T>(StoreRecord record, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(record.Value.Span, type) ?? throw new JsonException("null");
}

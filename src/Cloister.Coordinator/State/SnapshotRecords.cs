using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.Stores;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.State;

/// <summary>A snapshot as store records, named as MarbleRun names its own; docs/formats/state.md, part 3.</summary>
internal static class SnapshotRecords
{
    private const string StateKey = "state", RootSecretKey = "rootSecret", ManifestKey = "manifest", ManifestInfoKey = "manifestInfo";
    private const string SecretPrefix = "secret:", ActivationsPrefix = "activations:", UpdateLogPrefix = "updateLog:";
    private const string Root = "root", Intermediate = "intermediate", MarbleRoot = "marbleRoot";

    /// <summary>What has to be written to get from one snapshot to the next; committed only if nobody wrote in between.</summary>
    public static StoreTransaction Difference(CoordinatorSnapshot? before, CoordinatorSnapshot after)
    {
        // Every commit writes this record, so its version is the snapshot's.
        var transaction = new StoreTransaction()
            .Require(StateKey, before?.Version ?? 0)
            .Put(StateKey, JsonSerializer.SerializeToUtf8Bytes(new StoredState(StoredState.CurrentFormat, (int)after.State), StoredJson.Strict.StoredState));
        if (!ReferenceEquals(before?.Authority, after.Authority))
            PutAuthority(transaction, after.Authority);
        if (before is null || !before.RootSecret.Span.SequenceEqual(after.RootSecret.Span))
            transaction.Put(RootSecretKey, after.RootSecret);
        if (after.Manifest is { } manifest && !ReferenceEquals(before?.Manifest, manifest))
            PutManifest(transaction, manifest);
        PutEntries(transaction, SecretPrefix, before?.Secrets, after.Secrets, static (a, b) => a.Span.SequenceEqual(b.Span), static value => value);
        PutEntries(transaction, ActivationsPrefix, before?.Activations, after.Activations, static (a, b) => a == b, static count =>
        {
            byte[] bytes = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, count);
            return bytes;
        });
        for (int i = before?.UpdateLog.Count ?? 0; i < after.UpdateLog.Count; i++)
            transaction.Put(UpdateLogPrefix + i.ToString("d8", CultureInfo.InvariantCulture), Encoding.UTF8.GetBytes(after.UpdateLog[i]));
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
                Secrets = ReadEntries(records, SecretPrefix, static value => value),
                Activations = ReadEntries(records, ActivationsPrefix, static value => BinaryPrimitives.ReadInt64LittleEndian(value.Span)),
                UpdateLog = [.. records.Where(record => record.Key.StartsWith(UpdateLogPrefix, StringComparison.Ordinal))
                    .OrderBy(record => record.Key, StringComparer.Ordinal).Select(record => Encoding.UTF8.GetString(record.Value.Value.Span))],
            };
        }
        catch (Exception error) when (error is JsonException or CryptographicException or ArgumentException)
        {
            throw new StoreException(StoreError.Corrupt, "The state opens, but a record in it cannot be read; this program did not write it.", error);
        }
    }

    private static void PutAuthority(StoreTransaction transaction, CertificateAuthority authority)
    {
        Put(Root, authority.Root);
        Put(Intermediate, authority.Intermediate);
        transaction.Put("certificate:" + MarbleRoot, authority.MarbleRoot.RawData);

        void Put(string name, X509Certificate2 certificate)
        {
            using ECDsa key = certificate.GetECDsaPrivateKey()!;
            transaction.Put("certificate:" + name, certificate.RawData).Put("privateKey:" + name, key.ExportPkcs8PrivateKey());
        }
    }

    private static CertificateAuthority ReadAuthority(IReadOnlyDictionary<string, StoreRecord> records)
    {
        return new CertificateAuthority(Join(Root, Root), Join(Intermediate, Intermediate), Join(MarbleRoot, Intermediate));

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

    private static void PutEntries<T>(StoreTransaction transaction, string prefix, ImmutableDictionary<string, T>? before,
        ImmutableDictionary<string, T> after, Func<T, T, bool> same, Func<T, ReadOnlyMemory<byte>> bytes)
    {
        if (ReferenceEquals(before, after))
            return;
        foreach ((string name, T value) in after)
        {
            if (before is null || !before.TryGetValue(name, out T? old) || !same(old, value))
                transaction.Put(prefix + name, bytes(value));
        }
        foreach (string name in before?.Keys.Where(name => !after.ContainsKey(name)) ?? [])
            transaction.Delete(prefix + name);
    }

    private static ImmutableDictionary<string, T> ReadEntries<T>(
        IReadOnlyDictionary<string, StoreRecord> records, string prefix, Func<ReadOnlyMemory<byte>, T> value) => records
        .Where(record => record.Key.StartsWith(prefix, StringComparison.Ordinal))
        .ToImmutableDictionary(record => record.Key[prefix.Length..], record => value(record.Value.Value), StringComparer.Ordinal);

    private static StoreRecord Record(IReadOnlyDictionary<string, StoreRecord> records, string key) =>
        records.TryGetValue(key, out StoreRecord? record) ? record : throw new StoreException(StoreError.Corrupt, $"The state has no record '{key}'.");

    private static T Json<T>(StoreRecord record, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(record.Value.Span, type) ?? throw new JsonException("null");
}

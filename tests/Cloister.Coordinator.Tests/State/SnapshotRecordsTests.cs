using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Stores;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.Tests.State;

public class SnapshotRecordsTests
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly CertificateAuthority s_authority = CertificateAuthority.Create(["localhost"], s_now);

    [Fact]
    public async Task Whatever_changes_is_read_back()
    {
        await using var store = new MemoryStore();
        CoordinatorSnapshot current = Fresh() with { Version = await CommitAsync(store, null, Fresh()) };
        var random = new Random(7);
        for (int step = 0; step < 300; step++)
        {
            CoordinatorSnapshot next = Change(current, random, step);
            long version = await CommitAsync(store, current, next);
            current = next with { Version = version };
            AssertSame(current, SnapshotRecords.Read(await store.ReadAllAsync(CancellationToken.None))!);
        }
    }

    [Fact]
    public async Task What_did_not_change_is_not_written()
    {
        await using var store = new MemoryStore();
        CoordinatorSnapshot before = Change(Change(Fresh(), new Random(1), 0), new Random(2), 1);
        long version = await CommitAsync(store, null, before);
        before = before with { Version = version };

        StoreTransaction difference = SnapshotRecords.Difference(before, before with { Counters = before.Counters.SetItem("one", 1) });

        Assert.Equal(["counter:one", "state"], difference.Writes.Select(write => write.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_state_of_format_1_is_read()
    {
        await using var store = new MemoryStore();
        CoordinatorSnapshot before = Fresh() with { Secrets = Fresh().Secrets.Add("key", SecretMaterial.OfKey(new byte[] { 1, 2, 3 })) };
        await CommitAsync(store, null, before);
        await store.CommitAsync(new StoreTransaction().Put("state", """{"Format":1,"State":2}"""u8.ToArray()), CancellationToken.None);

        CoordinatorSnapshot read = SnapshotRecords.Read(await store.ReadAllAsync(CancellationToken.None))!;

        Assert.Equal(before.Secrets["key"], read.Secrets["key"]);
    }

    [Theory]
    [InlineData("state", """{"Format":3,"State":2}""", StoreError.NewerFormat)]
    [InlineData("counter:one", "short", StoreError.Corrupt)]
    [InlineData("disk:one", "short", StoreError.Corrupt)]
    [InlineData("pendingUpdate", "{}", StoreError.Corrupt)]
    [InlineData("release:key", "{}", StoreError.Corrupt)]
    [InlineData("previousMarbleRoots", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", StoreError.Corrupt)]
    [InlineData("secretCertificate:key", "no certificate", StoreError.Corrupt)]
    public async Task What_makes_no_sense_is_refused(string record, string value, StoreError error)
    {
        await using var store = new MemoryStore();
        await CommitAsync(store, null, Fresh() with { Secrets = Fresh().Secrets.Add("key", SecretMaterial.OfKey(new byte[] { 1 })) });
        await store.CommitAsync(new StoreTransaction().Put(record, Encoding.UTF8.GetBytes(value)), CancellationToken.None);
        var records = await store.ReadAllAsync(CancellationToken.None);

        Assert.Equal(error, Assert.Throws<StoreException>(() => SnapshotRecords.Read(records)).Error);
    }

    private static CoordinatorSnapshot Fresh() => new()
    {
        State = CoordinatorState.AcceptingManifest,
        Authority = s_authority,
        RootSecret = new byte[32],
    };

    private static CoordinatorSnapshot Change(CoordinatorSnapshot snapshot, Random random, int step)
    {
        string name = "name" + random.Next(5);
        byte[] bytes = new byte[random.Next(1, 40)];
        random.NextBytes(bytes);
        return random.Next(18) switch
        {
            0 => snapshot with { Secrets = snapshot.Secrets.SetItem(name, SecretMaterial.OfKey(bytes)) },
            1 => snapshot with { Secrets = snapshot.Secrets.SetItem(name, SelfSigned(name)) },
            2 => snapshot with { Secrets = snapshot.Secrets.Remove(name) },
            3 => snapshot with { PreviousSecrets = snapshot.Secrets, PreviousRootSecret = snapshot.RootSecret, RootSecret = RandomNumberGenerator.GetBytes(32) },
            4 => snapshot with { PreviousSecrets = snapshot.PreviousSecrets.Clear(), PreviousRootSecret = default },
            5 => snapshot with { Withheld = snapshot.Withheld.SetItem(name, Convert.ToHexStringLower(bytes)) },
            6 => snapshot with { Withheld = snapshot.Withheld.Remove(name) },
            7 => snapshot with { SecurityVersions = snapshot.SecurityVersions.SetItem(name, (ulong)random.NextInt64()) },
            8 => snapshot with { Pending = new PendingUpdate(bytes, ManifestDialect.Cloister, [new OwnerSignature(bytes, bytes)], [name, "other"]) },
            9 => snapshot with { Pending = null },
            10 => snapshot with { Counters = snapshot.Counters.SetItem(name, ulong.MaxValue - (ulong)step) },
            11 => snapshot with { Activations = snapshot.Activations.SetItem(name, step) },
            12 => snapshot with { UpdateLog = snapshot.UpdateLog.Add($"line {step}") },
            13 => snapshot with { Releases = snapshot.Releases.SetItem(name, new SecretRelease(Convert.ToHexStringLower(bytes), name)) },
            14 => snapshot with { Releases = snapshot.Releases.Remove(name) },
            16 => snapshot with { Disks = snapshot.Disks.SetItem(name, new DiskRecord((ulong)step + 1, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)))) },
            15 => snapshot with { Authority = step % 10 < 5 ? s_authority : snapshot.Authority.Rotate(renewable: step % 2 == 0, s_now) },
            _ => snapshot with { State = CoordinatorState.AcceptingMarbles },
        };
    }

    private static SecretMaterial SelfSigned(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256).CreateSelfSigned(s_now, s_now.AddDays(1));
        return SecretMaterial.OfCertificate(certificate.RawData, key.ExportPkcs8PrivateKey());
    }

    private static async Task<long> CommitAsync(MemoryStore store, CoordinatorSnapshot? before, CoordinatorSnapshot after) =>
        await store.CommitAsync(SnapshotRecords.Difference(before, after), CancellationToken.None) ?? throw new InvalidOperationException("refused");

    private static void AssertSame(CoordinatorSnapshot expected, CoordinatorSnapshot actual)
    {
        Assert.Equal(expected.Version, actual.Version);
        Assert.Equal(expected.State, actual.State);
        Assert.True(expected.RootSecret.Span.SequenceEqual(actual.RootSecret.Span));
        Assert.True(expected.PreviousRootSecret.Span.SequenceEqual(actual.PreviousRootSecret.Span));
        AssertSame(expected.Secrets, actual.Secrets);
        AssertSame(expected.PreviousSecrets, actual.PreviousSecrets);
        AssertSame(expected.Releases, actual.Releases);
        AssertSame(expected.Withheld, actual.Withheld);
        Assert.Equal(expected.Authority.Root.RawData, actual.Authority.Root.RawData);
        Assert.Equal(expected.Authority.Intermediate.RawData, actual.Authority.Intermediate.RawData);
        Assert.Equal(expected.Authority.PreviousMarbleRoots.Select(root => root.Thumbprint), actual.Authority.PreviousMarbleRoots.Select(root => root.Thumbprint));
        AssertSame(expected.SecurityVersions, actual.SecurityVersions);
        AssertSame(expected.Counters, actual.Counters);
        AssertSame(expected.Activations, actual.Activations);
        AssertSame(expected.Disks, actual.Disks);
        Assert.Equal(expected.UpdateLog, actual.UpdateLog);
        Assert.Equal(Describe(expected.Pending), Describe(actual.Pending));
    }

    private static void AssertSame<T>(IReadOnlyDictionary<string, T> expected, IReadOnlyDictionary<string, T> actual) =>
        Assert.Equal(expected.OrderBy(entry => entry.Key, StringComparer.Ordinal), actual.OrderBy(entry => entry.Key, StringComparer.Ordinal));

    private static string Describe(PendingUpdate? update) => update is null
        ? ""
        : $"{Convert.ToHexString(update.Manifest.Span)} {update.Dialect} {string.Join(',', update.Acknowledged)} "
            + string.Join(',', update.OwnerSignatures.Select(owner => Convert.ToHexString(owner.PublicKey.Span) + Convert.ToHexString(owner.Signature.Span)));
}

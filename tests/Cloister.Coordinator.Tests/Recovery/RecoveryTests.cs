using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.Recovery;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Stores;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.Tests.Recovery;

/// <summary>Recovery of real coordinators over HTTPS, their state on a real disk.</summary>
public sealed class RecoveryTests : IAsyncLifetime
{
    private TestCoordinator _coordinator = null!;

    public async Task InitializeAsync() => _coordinator = await TestCoordinator.StartAsync();

    public async Task DisposeAsync() => await _coordinator.DisposeAsync();

    [Theory, InlineData(1, 0, 1), InlineData(2, 0, 2), InlineData(3, 3, 3), InlineData(3, 2, 2), InlineData(5, 3, 3)]
    public async Task The_holders_bring_the_state_back(int count, int threshold, int needed)
    {
        using var holders = new Holders(count);
        byte[][] secrets = await holders.SetAsync(_coordinator, threshold);
        Assert.All(secrets, secret => Assert.Equal(needed < count ? 33 : 32, secret.Length));
        CoordinatorSnapshot before = _coordinator.Host.State.Current;
        await LoseKeyAsync();
        Assert.Equal(1, await StatusAsync());
        Assert.NotEqual(before.Authority.Root.Thumbprint, _coordinator.Host.State.Current.Authority.Root.Thumbprint);

        int[] order = [.. Enumerable.Range(0, count).Reverse().Take(needed)];
        for (int i = 0; i < needed; i++)
        {
            Assert.Equal(1, await StatusAsync());
            (int code, JsonElement answer) = await holders.UploadAsync(_coordinator, order[i], secrets[order[i]]);
            Assert.True(code == 200, answer.ToString());
            JsonElement progress = answer.GetProperty("data");
            Assert.Equal(needed - i - 1, progress.GetProperty("remaining").GetInt32());
            Assert.Equal(i == needed - 1 ? "Recovery successful." : $"Secret was processed successfully. Upload the next secret. Remaining secrets: {needed - i - 1}",
                progress.GetProperty("message").GetString());
        }
        await AssertRecoveredAsync(before, order.Select(Holders.Name));
        await _coordinator.RestartAsync();
        await AssertRecoveredAsync(before, order.Select(Holders.Name));
    }

    [Fact]
    public async Task A_foreign_machine_is_recovered_too()
    {
        using var holders = new Holders(2);
        byte[][] secrets = await holders.SetAsync(_coordinator);
        CoordinatorSnapshot before = _coordinator.Host.State.Current;
        await using TestCoordinator other = await TestCoordinator.StartAsync();
        foreach (string name in new[] { SealFolder.KeyName, SealFolder.DataName })
            File.Copy(Path.Combine(_coordinator.SealFolder, name), Path.Combine(other.SealFolder, name), overwrite: true);
        await other.RestartAsync();
        await holders.UploadAsync(other, 0, secrets[0]);
        await holders.UploadAsync(other, 1, secrets[1]);
        Assert.Equal(before.Manifest!.Fingerprint, other.Host.State.Current.Manifest?.Fingerprint);
        await other.RestartAsync();
        Assert.Equal(CoordinatorState.AcceptingMarbles, other.Host.State.Current.State);
    }

    [Fact]
    public async Task Secrets_may_come_encrypted_to_the_coordinators_key()
    {
        using var holders = new Holders(2);
        byte[][] secrets = await holders.SetAsync(_coordinator);
        Assert.Equal(409, (await _coordinator.GetAsync("/api/v3/recover/public-key")).Code);
        CoordinatorSnapshot before = _coordinator.Host.State.Current;
        await LoseKeyAsync();

        (int code, JsonElement answer) = await _coordinator.GetAsync("/api/v2/recover/public-key");
        Assert.Equal((200, "RSA"), (code, answer.GetProperty("data").GetProperty("algorithm").GetString()));
        byte[] publicKey = answer.GetProperty("data").GetProperty("ephemeralPublicKey").GetBytesFromBase64();
        Assert.Equal(publicKey, (await _coordinator.GetAsync("/api/v3/recover/public-key")).Json.GetProperty("data").GetProperty("ephemeralPublicKey").GetBytesFromBase64());
        using RSA ephemeral = RSA.Create(), foreign = RSA.Create(4096);
        ephemeral.ImportSubjectPublicKeyInfo(publicKey, out _);
        Assert.Equal(4096, ephemeral.KeySize);

        Assert.Equal(400, (await UploadAsync(foreign, 0)).Code);
        Assert.Equal((200, 1), await UploadAsync(ephemeral, 0));
        Assert.Equal((200, 0), await UploadAsync(ephemeral, 1));
        await AssertRecoveredAsync(before, [Holders.Name(0), Holders.Name(1)]);
        Assert.Equal(409, (await _coordinator.GetAsync("/api/v3/recover/public-key")).Code);

        async Task<(int Code, int Remaining)> UploadAsync(RSA key, int holder)
        {
            (int code, JsonElement answer) = await _coordinator.PostAsync("/api/v2/recover",
                Holders.Body(key.Encrypt(secrets[holder], RSAEncryptionPadding.OaepSHA256), holders.Sign(holder, secrets[holder])));
            return (code, code == 200 ? answer.GetProperty("data").GetProperty("remaining").GetInt32() : -1);
        }
    }

    [Fact]
    public async Task What_is_no_expected_secret_spoils_nothing()
    {
        using var holders = new Holders(3);
        byte[][] secrets = await holders.SetAsync(_coordinator, threshold: 2);
        CoordinatorSnapshot before = _coordinator.Host.State.Current;
        await using TestCoordinator other = await TestCoordinator.StartAsync();
        byte[][] others = await holders.SetAsync(other, threshold: 2);
        await LoseKeyAsync();

        byte[] flipped = [.. secrets[0]], random = RandomNumberGenerator.GetBytes(32);
        flipped[3] ^= 1;
        foreach (byte[] wrong in new[] { secrets[0][..31], [], new byte[100], new byte[512] })
            await AssertRefusedAsync(400, "BadRequest", Holders.Body(wrong, holders.Sign(0, wrong)));
        foreach (byte[] wrong in new[] { flipped, random, others[0], secrets[0][..32] })
            await AssertRefusedAsync(400, "RecoverySecretRefused", Holders.Body(wrong, holders.Sign(0, wrong)));
        Assert.Equal(1, await RemainingAsync(holders.UploadAsync(_coordinator, 0, secrets[0])));
        // The same again counts once; another's key is not the secret's.
        Assert.Equal(1, await RemainingAsync(holders.UploadAsync(_coordinator, 0, secrets[0])));
        await AssertRefusedAsync(403, "RecoverySignatureInvalid", Holders.Body(secrets[1], holders.Sign(0, secrets[1])));
        await AssertRefusedAsync(403, "RecoverySignatureInvalid", Holders.Body(secrets[1], holders.Sign(1, secrets[2])));
        await AssertRefusedAsync(403, "RecoverySignatureInvalid", Holders.Body(secrets[1], []));
        await AssertRefusedAsync(403, "RecoverySignatureInvalid", Holders.Body(secrets[1], new byte[9000]));
        byte[] pss = holders.Key(1).SignData(secrets[1], HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
        await AssertRefusedAsync(403, "RecoverySignatureInvalid", Holders.Body(secrets[1], pss));
        await AssertRefusedAsync(400, "RecoverySecretRefused", Holders.Body(random, holders.Sign(1, random)));
        Assert.Equal(1, await StatusAsync());
        Assert.Equal(0, await RemainingAsync(holders.UploadAsync(_coordinator, 1, secrets[1])));
        await AssertRecoveredAsync(before, [Holders.Name(0), Holders.Name(1)]);
    }

    [Theory]
    [InlineData("{}"), InlineData("null"), InlineData(""), InlineData("[]"), InlineData("""{"recoverySecret":"AA=="}""")]
    [InlineData("""{"recoverySecret":1,"recoverySecretSignature":"AA=="}"""), InlineData("""{"recoverySecret":null,"recoverySecretSignature":null}""")]
    public async Task Malformed_bodies_are_refused(string body)
    {
        using var holders = new Holders(1);
        await holders.SetAsync(_coordinator);
        await LoseKeyAsync();
        Assert.Equal(400, (await _coordinator.PostAsync("/api/v3/recover", body)).Code);
        Assert.Equal(400, (await _coordinator.PostAsync("/api/v2/recover", body)).Code);
        Assert.Equal(1, await StatusAsync());
    }

    [Fact]
    public async Task Bodies_are_bounded_and_marbleruns_old_path_says_where_to_go()
    {
        (int code, _) = await _coordinator.PostAsync("/api/v2/recover", Holders.Body(new byte[32], new byte[20_480]));
        Assert.Equal(413, code);
        (code, JsonElement answer) = await _coordinator.PostAsync("/recover", "whatever");
        Assert.Equal((410, "error"), (code, answer.GetProperty("status").GetString()));
        Assert.Contains("/api/v2/recover", answer.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(405, (await _coordinator.GetAsync("/recover")).Code);
    }

    [Fact]
    public async Task There_is_nothing_to_recover_outside_of_recovery()
    {
        using var holders = new Holders(1);
        Assert.Equal(409, (await holders.UploadAsync(_coordinator, 0, new byte[32])).Code);
        byte[][] secrets = await holders.SetAsync(_coordinator);
        Assert.Equal(409, (await holders.UploadAsync(_coordinator, 0, secrets[0])).Code);
        Assert.Equal(500, (await holders.UploadAsync(_coordinator, 0, secrets[0], "/api/v2/recover")).Code);
    }

    [Fact]
    public async Task Of_many_uploads_at_once_each_secret_counts_once()
    {
        using var holders = new Holders(5);
        byte[][] secrets = await holders.SetAsync(_coordinator, threshold: 4);
        CoordinatorSnapshot before = _coordinator.Host.State.Current;
        await LoseKeyAsync();
        (int Code, JsonElement Json)[] answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(i =>
            i % 6 == 5 ? holders.UploadAsync(_coordinator, 0, RandomNumberGenerator.GetBytes(33)) : holders.UploadAsync(_coordinator, i % 6, secrets[i % 6])));
        Assert.Equal(3, await StatusAsync());
        int[] remaining = [.. answers.Where(answer => answer.Code == 200).Select(answer => answer.Json.GetProperty("data").GetProperty("remaining").GetInt32())];
        Assert.Single(remaining, left => left == 0);
        Assert.Equal([0, 1, 2, 3], remaining.Distinct().Order());
        Assert.All(answers.Where(answer => answer.Code != 200), answer => Assert.True(answer.Code is 400 or 409, answer.Json.ToString()));
        Assert.Equal(before.Manifest!.Fingerprint, _coordinator.Host.State.Current.Manifest!.Fingerprint);
    }

    [Fact]
    public async Task Activations_and_their_budgets_go_on()
    {
        using var holders = new Holders(1);
        byte[][] secrets = await holders.SetAsync(_coordinator);
        using var first = new TestWorkload(_coordinator, "once");
        await first.ActivateAsync();
        await LoseKeyAsync();
        using var second = new TestWorkload(_coordinator, "once");
        Assert.Equal(Protocol.Grpc.GrpcStatus.FailedPrecondition, (await second.RefusedAsync()).Status);
        await holders.UploadAsync(_coordinator, 0, secrets[0]);
        await second.ActivateAsync();
        using var third = new TestWorkload(_coordinator, "once");
        Assert.Equal(Protocol.Grpc.GrpcStatus.PermissionDenied, (await third.RefusedAsync()).Status);
    }

    [Fact]
    public async Task The_next_connection_sees_the_recovered_identity()
    {
        using var holders = new Holders(1);
        byte[][] secrets = await holders.SetAsync(_coordinator);
        byte[] root = _coordinator.Host.State.Current.Authority.RootSpki.ToArray(), served = [];
        await LoseKeyAsync();
        using (HttpClient during = _coordinator.Client(serverKey: key => served = key))
            await during.GetAsync("/api/v3/status");
        Assert.NotEqual(root, served);
        await holders.UploadAsync(_coordinator, 0, secrets[0]);
        using HttpClient after = _coordinator.Client(serverKey: key => served = key);
        await after.GetAsync("/api/v3/status");
        Assert.Equal(root, served);
    }

    [Theory, InlineData(1, 0), InlineData(3, 0), InlineData(5, 3)]
    public async Task Without_recovery_data_the_secrets_are_tried_together(int count, int threshold)
    {
        using var holders = new Holders(count);
        byte[][] secrets = await holders.SetAsync(_coordinator, threshold);
        CoordinatorSnapshot before = _coordinator.Host.State.Current;
        await LoseKeyAsync(transaction => transaction.Delete("copy/" + SnapshotRecords.RecoveryKey));
        // Nothing tells a wrong one now; it is one of those that are tried.
        Assert.Equal(1, await RemainingAsync(holders.UploadAsync(_coordinator, 0, RandomNumberGenerator.GetBytes(threshold == 0 ? 32 : 33))));
        int needed = threshold == 0 ? count : threshold;
        for (int i = 0; i < needed; i++)
            Assert.Equal(i == needed - 1 ? 0 : 1, await RemainingAsync(holders.UploadAsync(_coordinator, i, secrets[i])));
        await AssertRecoveredAsync(before, Enumerable.Range(0, needed).Select(Holders.Name));
        // What was lost is there again.
        await LoseKeyAsync();
        Assert.Equal(needed - 1, await RemainingAsync(holders.UploadAsync(_coordinator, 0, secrets[0])));
    }

    [Fact]
    public async Task Without_recovery_data_the_number_of_tries_is_bounded()
    {
        using var holders = new Holders(1);
        byte[][] secrets = await holders.SetAsync(_coordinator);
        await LoseKeyAsync(transaction => transaction.Put("copy/" + SnapshotRecords.RecoveryKey, new byte[] { 1, 2, 3 }));
        for (int i = 0; i < RecoveryCollection.MaxBlind - 1; i++)
            Assert.Equal(1, await RemainingAsync(holders.UploadAsync(_coordinator, 0, RandomNumberGenerator.GetBytes(32))));
        Assert.Equal(409, (await holders.UploadAsync(_coordinator, 0, RandomNumberGenerator.GetBytes(32))).Code);
        // It has begun anew.
        Assert.Equal(0, await RemainingAsync(holders.UploadAsync(_coordinator, 0, secrets[0])));
    }

    [Fact]
    public async Task A_secret_without_its_holders_signature_opens_nothing_even_without_recovery_data()
    {
        using var holders = new Holders(1);
        byte[][] secrets = await holders.SetAsync(_coordinator);
        await LoseKeyAsync(transaction => transaction.Delete("copy/" + SnapshotRecords.RecoveryKey));
        using RSA thief = RSA.Create(2048);
        byte[] signature = thief.SignData(secrets[0], HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        await AssertRefusedAsync(403, "RecoverySignatureInvalid", Holders.Body(secrets[0], signature));
        Assert.False(File.Exists(Path.Combine(_coordinator.SealFolder, SealFolder.KeyName)));
        Assert.Equal(1, await StatusAsync());
    }

    [Fact]
    public async Task Recovery_data_that_names_a_thiefs_key_is_noticed_when_the_state_is_open()
    {
        using var holders = new Holders(1);
        using RSA thief = RSA.Create(2048);
        byte[][] secrets = await holders.SetAsync(_coordinator);
        RecoveryData data = _coordinator.Host.State.Current.Recovery!;
        RecoveryData forged = data with { Holders = [data.Holders[0] with { PublicKey = thief.ExportSubjectPublicKeyInfo() }] };
        await LoseKeyAsync(transaction => transaction.Put("copy/" + SnapshotRecords.RecoveryKey, forged.Encode()));
        await AssertRefusedAsync(403, "RecoverySignatureInvalid",
            Holders.Body(secrets[0], thief.SignData(secrets[0], HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));
        Assert.Equal(1, await StatusAsync());
        Assert.False(File.Exists(Path.Combine(_coordinator.SealFolder, SealFolder.KeyName)));
    }

    [Fact]
    public async Task Changed_recovery_data_is_repaired_when_the_state_opens_by_itself()
    {
        using var holders = new Holders(2);
        await holders.SetAsync(_coordinator);
        byte[] truth = _coordinator.Host.State.Current.Recovery!.Encode();
        await _coordinator.Host.DisposeAsync();
        await ChangeFileAsync(transaction => transaction.Put("copy/" + SnapshotRecords.RecoveryKey, new byte[] { 1 }).Put("copy/other", new byte[] { 1 }));
        await _coordinator.RestartAsync();
        Assert.Equal(3, await StatusAsync());
        await _coordinator.Host.DisposeAsync();
        await using (FileStore file = FileStore.Open(Path.Combine(_coordinator.SealFolder, SealFolder.DataName)))
        {
            Assert.Equal(truth, (await file.GetAsync("copy/" + SnapshotRecords.RecoveryKey, default))!.Value.ToArray());
            Assert.Null(await file.GetAsync("copy/other", default));
        }
        await _coordinator.RestartAsync();
    }

    [Fact]
    public async Task Other_recovery_keys_make_the_old_secrets_useless()
    {
        using Holders holders = new(2), others = new(3);
        byte[][] old = await holders.SetAsync(_coordinator);
        ManifestDocument before = _coordinator.Host.State.Current.Manifest!.Document, after = Read(others.AddTo(new TestManifest(_coordinator.HostKey).Json(), threshold: 2));
        byte[][] secrets;
        using (RecoverySetup setup = RecoverySetup.Prepare(before, after))
        {
            // Other changes come and go meanwhile.
            Task[] changes = [.. Enumerable.Range(0, 8).Select(i => _coordinator.Host.State.ChangeAsync(current => current with { Counters = current.Counters.SetItem($"{i}", 1) }, default))];
            await _coordinator.Host.State.ChangeAsync(setup.Apply, default);
            await Task.WhenAll(changes);
            secrets = [.. Enumerable.Range(0, 3).Select(i => others.Key(i).Decrypt(setup.Secrets[Holders.Name(i)], RSAEncryptionPadding.OaepSHA256))];
        }
        CoordinatorSnapshot now = _coordinator.Host.State.Current;
        Assert.Equal(8, now.Counters.Count);
        await _coordinator.RestartAsync();
        Assert.Equal(3, await StatusAsync());
        await LoseKeyAsync();
        await AssertRefusedAsync(400, "RecoverySecretRefused", Holders.Body(old[0], holders.Sign(0, old[0])));
        Assert.Equal(1, await RemainingAsync(others.UploadAsync(_coordinator, 2, secrets[2])));
        Assert.Equal(0, await RemainingAsync(others.UploadAsync(_coordinator, 1, secrets[1])));
        await AssertRecoveredAsync(now, [Holders.Name(1), Holders.Name(2)]);
        Assert.Equal(8, _coordinator.Host.State.Current.Counters.Count);
    }

    [Fact]
    public async Task A_damaged_state_is_not_recovered_half()
    {
        using var holders = new Holders(1);
        byte[][] secrets = await holders.SetAsync(_coordinator);
        await LoseKeyAsync(transaction => transaction.Put("record/rootSecret", new byte[100]));
        Assert.Equal(500, (await holders.UploadAsync(_coordinator, 0, secrets[0])).Code);
        Assert.Equal(1, await StatusAsync());
        Assert.False(File.Exists(Path.Combine(_coordinator.SealFolder, SealFolder.KeyName)));
    }

    [Fact]
    public async Task A_manifest_without_recovery_keys_hands_out_nothing_and_cannot_be_recovered()
    {
        await _coordinator.SetManifestAsync(new TestManifest(_coordinator.HostKey).Text);
        await LoseKeyAsync();
        using var holders = new Holders(1);
        Assert.Equal(200, (await holders.UploadAsync(_coordinator, 0, RandomNumberGenerator.GetBytes(32))).Code);
        Assert.Equal(1, await StatusAsync());
    }

    private static ManifestDocument Read(JsonObject manifest) => ManifestReader.Read(Encoding.UTF8.GetBytes(manifest.ToJsonString()), ManifestDialect.Cloister).Document;

    private async Task LoseKeyAsync(Action<StoreTransaction>? change = null)
    {
        await _coordinator.Host.DisposeAsync();
        File.Delete(Path.Combine(_coordinator.SealFolder, SealFolder.KeyName));
        if (change is not null)
            await ChangeFileAsync(change);
        await _coordinator.RestartAsync();
    }

    private async Task ChangeFileAsync(Action<StoreTransaction> change)
    {
        await using FileStore file = FileStore.Open(Path.Combine(_coordinator.SealFolder, SealFolder.DataName));
        var transaction = new StoreTransaction();
        change(transaction);
        await file.CommitAsync(transaction, default);
    }

    private async Task<int> StatusAsync() => (await _coordinator.GetAsync("/api/v3/status")).Json.GetProperty("data").GetProperty("code").GetInt32();

    private static async Task<int> RemainingAsync(Task<(int Code, JsonElement Json)> upload)
    {
        (int code, JsonElement answer) = await upload;
        Assert.True(code == 200, answer.ToString());
        return answer.GetProperty("data").GetProperty("remaining").GetInt32();
    }

    private async Task AssertRefusedAsync(int expected, string error, string body)
    {
        (int code, JsonElement answer) = await _coordinator.PostAsync("/api/v3/recover", body);
        Assert.Equal((expected, error), (code, answer.GetProperty("code").GetString()));
    }

    private async Task AssertRecoveredAsync(CoordinatorSnapshot before, IEnumerable<string> by)
    {
        Assert.Equal(3, await StatusAsync());
        CoordinatorSnapshot now = _coordinator.Host.State.Current;
        Assert.Equal(before.Manifest!.Fingerprint, now.Manifest!.Fingerprint);
        Assert.Equal(before.Authority.Root.Thumbprint, now.Authority.Root.Thumbprint);
        Assert.Equal(before.Secrets["shared"], now.Secrets["shared"]);
        string last = now.UpdateLog[^1];
        Assert.Contains("\"update\":\"State recovered\"", last, StringComparison.Ordinal);
        Assert.Equal(by.Order(StringComparer.Ordinal),
            JsonDocument.Parse(last).RootElement.GetProperty("recoveryKeys").EnumerateArray().Select(name => name.GetString()!).Order(StringComparer.Ordinal));
        using var workload = new TestWorkload(_coordinator, "free");
        using X509Certificate2 leaf = workload.Join(await workload.ActivateAsync());
        Assert.Equal(before.Authority.Intermediate.SubjectName.RawData, leaf.IssuerName.RawData);
    }
}

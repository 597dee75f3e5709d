using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;

namespace Cloister.Coordinator.Tests.Update;

/// <summary>Updates that meet each other, activations and uploads: one order of them all must explain what everybody was told.</summary>
public sealed class ConcurrentUpdateTests : IAsyncLifetime
{
    private OwnUpdateScene _scene = null!;

    public async Task InitializeAsync() => _scene = await OwnUpdateScene.StartAsync(change: manifest => manifest["Config"]!["UpdateThreshold"] = 2);

    public async Task DisposeAsync() => await _scene.DisposeAsync();

    [Fact]
    public async Task Of_two_manifests_sent_at_once_one_becomes_pending()
    {
        for (int round = 0; round < 8; round++)
        {
            string[] manifests = [Next(2 * round + 1), Next(2 * round + 2)];
            (int Code, JsonElement Json)[] answers = await Task.WhenAll(_scene.UpdateAsync(manifests[0], _scene.Ann), _scene.UpdateAsync(manifests[1], _scene.Bob));
            Assert.Equal([200, 409], answers.Select(answer => answer.Code).Order());
            string pending = manifests[answers[0].Code == 200 ? 0 : 1];
            Assert.Equal(TestManifest.Fingerprint(pending), (await _scene.Coordinator.GetAsync("/api/v3/update-manifest")).Json.GetProperty("data").GetProperty("fingerprint").GetString());
            Assert.Equal(200, (await _scene.CancelAsync(TestManifest.Fingerprint(pending), _scene.Ann)).Code);
        }
    }

    [Fact]
    public async Task An_acknowledgement_and_a_cancellation_at_once_end_in_one_of_them()
    {
        int applied = 0;
        for (int round = 0; round < 12; round++)
        {
            string before = _scene.Fingerprint, next = Next(round + 1), fingerprint = TestManifest.Fingerprint(next);
            Assert.Equal(200, (await _scene.UpdateAsync(next, _scene.Ann)).Code);
            var agree = _scene.AgreeAsync(next, _scene.Bob);
            var cancel = _scene.CancelAsync(fingerprint, _scene.Ann);
            (int agreed, int cancelled) = ((await agree).Code, (await cancel).Code);
            Assert.Contains((agreed, cancelled), new[] { (200, 404), (404, 200) });
            Assert.Null(_scene.Current.Pending);
            Assert.Equal(agreed == 200 ? fingerprint : before, _scene.Fingerprint);
            applied += agreed == 200 ? 1 : 0;
        }
        Assert.Equal(applied, _scene.Current.UpdateLog.Count(line => line.Contains("\"Complete Manifest updated\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_last_acknowledgement_twice_at_once_applies_once()
    {
        await using UpdateScene scene = await UpdateScene.StartAsync();
        for (int round = 1; round < 6; round++)
        {
            JsonObject manifest = scene.Manifest();
            manifest["Marbles"]!["limited"]!["MaxActivations"] = 2 + round;
            manifest["Config"]!["RotateRootSecret"] = true;
            string next = manifest.ToJsonString();
            CoordinatorSnapshot before = scene.Coordinator.Host.State.Current;
            Assert.Equal(200, (await scene.UpdateAsync(next, scene.Ann)).Code);
            int[] codes = [.. (await Task.WhenAll(scene.AcknowledgeAsync(next, scene.Bob), scene.AcknowledgeAsync(next, scene.Cyd))).Select(answer => answer.Code).Order()];
            Assert.Equal([200, 404], codes);
            Assert.Equal(before.RootSecret.ToArray(), scene.Coordinator.Host.State.Current.PreviousRootSecret.ToArray());
            Assert.Equal(before.Secrets["kept"], scene.Coordinator.Host.State.Current.PreviousSecrets["kept"]);
        }
    }

    [Fact]
    public async Task Activations_during_raises_are_of_one_version_each()
    {
        using var stop = new CancellationTokenSource();
        Task raising = RaiseAsync(stop.Token);
        ActivationResp[] answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(async _ =>
        {
            using var workload = new TestWorkload(_scene.Coordinator);
            return await workload.ActivateAsync();
        }));
        await stop.CancelAsync();
        await raising;
        foreach (ActivationResp answer in answers)
        {
            using X509Certificate2 leaf = X509CertificateLoader.LoadCertificate(answer.CertificateChain[0].Span), intermediate = X509CertificateLoader.LoadCertificate(answer.CertificateChain[1].Span),
                marbleRoot = X509CertificateLoader.LoadCertificate(answer.MarbleRoot.Span);
            Assert.Equal(intermediate.PublicKey.ExportSubjectPublicKeyInfo(), marbleRoot.PublicKey.ExportSubjectPublicKeyInfo());
            using X509Chain chain = new();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(marbleRoot);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.VerificationTime = _scene.Coordinator.Clock.GetUtcNow().UtcDateTime;
            Assert.True(chain.Build(leaf));
        }

        async Task RaiseAsync(CancellationToken cancellation)
        {
            for (ulong version = 4; !cancellation.IsCancellationRequested; version++)
                Assert.Equal(200, (await _scene.UpdateAsync(OwnUpdateScene.Raise("enclave", version), _scene.Ann)).Code);
        }
    }

    [Fact]
    public async Task A_key_released_for_one_manifest_never_reaches_a_workload_of_another()
    {
        for (int round = 1; round < 7; round++)
        {
            // Each manifest gives the workload another argument, so each touches what the key reaches.
            string before = _scene.Fingerprint;
            string next = _scene.Manifest(manifest =>
            {
                manifest["Config"]!["UpdateThreshold"] = 2;
                manifest["Marbles"]!["server"]!["Parameters"]!["Argv"] = new JsonArray("serve", $"{round}");
            });
            Assert.Equal(200, (await _scene.UpdateAsync(next, _scene.Ann)).Code);
            var activation = ActivateAsync();
            var upload = _scene.Coordinator.PostAsync("/api/v3/secrets", TestManifest.Upload(before, ("model-key", OwnUpdateScene.ModelKey)), _scene.People.Owner);
            var agree = _scene.AgreeAsync(next, _scene.Bob);
            Assert.Equal(200, (await agree).Code);
            int uploaded = (await upload).Code;
            Assert.Contains(uploaded, new[] { 200, 409 });

            // Before the update it had the old argument and the key; after it, or between, nothing at all.
            if (await activation is { } answer)
                Assert.Equal(before, Convert.ToHexStringLower(answer.ManifestFingerprint.Span));
            Assert.Equal(["model-key"], _scene.Current.Withheld.Keys);
            Assert.Null(await ActivateAsync());
            Assert.Equal(200, (await _scene.AcknowledgeAsync(_scene.People.Owner)).Code);
            Assert.NotNull(await ActivateAsync());
        }

        async Task<ActivationResp?> ActivateAsync()
        {
            using var workload = new TestWorkload(_scene.Coordinator, "server");
            try
            {
                return await workload.ActivateAsync();
            }
            catch (GrpcException)
            {
                return null;
            }
        }
    }

    private string Next(int number) => _scene.Manifest(manifest =>
    {
        manifest["Config"]!["UpdateThreshold"] = 2;
        manifest["Marbles"]!["free"]!["MaxActivations"] = number;
    });
}

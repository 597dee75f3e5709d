using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Coordinator.Update;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;

namespace Cloister.Coordinator.Tests.Update;

/// <summary>Updates on Cloister's surface, and what they do to what runs.</summary>
public sealed class OwnUpdateTests : IAsyncLifetime
{
    private OwnUpdateScene _scene = null!;

    public async Task InitializeAsync() => _scene = await OwnUpdateScene.StartAsync();

    public async Task DisposeAsync() => await _scene.DisposeAsync();

    [Fact]
    public async Task A_pending_update_is_seen_agreed_to_and_cancelled_by_name()
    {
        await _scene.ReplaceAsync(manifest => manifest["Config"]!["UpdateThreshold"] = 2);
        Assert.Equal("NoPendingUpdate", OwnUpdateScene.Error(404, await _scene.Coordinator.GetAsync("/api/v3/update-manifest")));
        string next = _scene.Manifest(manifest => manifest["Marbles"]!["free"]!["MaxActivations"] = 5), fingerprint = TestManifest.Fingerprint(next), inForce = _scene.Fingerprint;
        JsonElement sent = (await _scene.UpdateAsync(next, _scene.Ann)).Json.GetProperty("data");
        Assert.Equal($$$"""{"fingerprint":"{{{inForce}}}","missingAcknowledgments":1,"missingUsers":["bob"],"recoverySecrets":{},"withheldSecrets":[]}""", sent.ToString());
        JsonElement pending = (await _scene.Coordinator.GetAsync("/api/v3/update-manifest")).Json.GetProperty("data");
        Assert.Equal((next, fingerprint), (Encoding.UTF8.GetString(pending.GetProperty("manifest").GetBytesFromBase64()), pending.GetProperty("fingerprint").GetString()));
        Assert.Equal("""["ann"]""", pending.GetProperty("acknowledgedBy").ToString());

        Assert.Equal("UpdateInProgress", OwnUpdateScene.Error(409, await _scene.UpdateAsync(OwnUpdateScene.Raise("enclave", 5), _scene.Ann)));
        Assert.Equal("OtherUpdate", OwnUpdateScene.Error(409, await _scene.AgreeAsync(next + "\n", _scene.Bob)));
        Assert.Equal("NotAnUpdater", OwnUpdateScene.Error(403, await _scene.AgreeAsync(next, _scene.People.Owner)));
        Assert.Equal("NotAnUpdater", OwnUpdateScene.Error(403, await _scene.CancelAsync(fingerprint, _scene.People.Owner)));
        Assert.Equal("OtherUpdate", OwnUpdateScene.Error(409, await _scene.CancelAsync(inForce, _scene.Bob)));
        Assert.Equal("BadRequest", OwnUpdateScene.Error(400, await _scene.CancelAsync("it", _scene.Bob)));
        Assert.Equal("NotAuthenticated", OwnUpdateScene.Error(401, await _scene.CancelAsync(fingerprint, null)));
        Assert.Equal(200, (await _scene.CancelAsync(fingerprint, _scene.Bob)).Code);
        Assert.Equal("NoPendingUpdate", OwnUpdateScene.Error(404, await _scene.CancelAsync(fingerprint, _scene.Bob)));

        Assert.Equal(200, (await _scene.UpdateAsync(next, _scene.Bob)).Code);
        JsonElement agreed = (await _scene.AgreeAsync(next, _scene.Ann)).Json.GetProperty("data");
        Assert.Equal($$$"""{"fingerprint":"{{{fingerprint}}}","missingAcknowledgments":0,"missingUsers":[],"recoverySecrets":{},"withheldSecrets":[]}""", agreed.ToString());
    }

    [Fact]
    public async Task Refusals_have_codes()
    {
        Assert.Equal("NotAuthenticated", OwnUpdateScene.Error(401, await _scene.UpdateAsync("nonsense", null)));
        Assert.Equal("ManifestRefused", OwnUpdateScene.Error(400, await _scene.UpdateAsync("nonsense", _scene.Ann)));
        Assert.Equal("ManifestRefused", OwnUpdateScene.Error(400, await _scene.UpdateAsync(_scene.Manifest(manifest => manifest["Clients"] = new JsonObject()), _scene.Ann)));
        Assert.Equal("NotPermitted", OwnUpdateScene.Error(403, await _scene.UpdateAsync(_scene.Manifest(), _scene.People.Owner)));
        Assert.Equal("NotPermitted", OwnUpdateScene.Error(403, await _scene.UpdateAsync(OwnUpdateScene.Raise("enclave", 5), _scene.Bob)));
        Assert.Equal("UpdateRefused", OwnUpdateScene.Error(400, await _scene.UpdateAsync(OwnUpdateScene.Raise("enclave", 2), _scene.Ann)));
        Assert.Equal("UpdateRefused", OwnUpdateScene.Error(400, await _scene.UpdateAsync(OwnUpdateScene.Raise("serving", 5), _scene.Ann)));
        Assert.Equal("UpdateRefused", OwnUpdateScene.Error(400, await _scene.UpdateAsync("""{"Packages":{"enclave":{"SecurityVersion":5,"AcceptedTCBStatuses":["OutOfDate"]}}}""", _scene.Ann)));
        Assert.Equal("ManifestRefused", OwnUpdateScene.Error(400, await _scene.UpdateAsync("""{"Packages":{"enclave":{"SecurityVersion":5}},"Config":{"UpdateThreshold":1}}""", _scene.Ann)));
        Assert.Equal("WrongContentType", OwnUpdateScene.Error(415, await _scene.Coordinator.PostAsync("/api/v3/update", TestManifest.Request("{}"), _scene.Ann, "text/plain")));
        Assert.Equal("BadRequest", OwnUpdateScene.Error(400, await _scene.Coordinator.PostAsync("/api/v3/update", """{"manifest":"e30="}""", _scene.Ann)));
        await using TestCoordinator empty = await TestCoordinator.StartAsync();
        Assert.Equal("WrongState", OwnUpdateScene.Error(409, await empty.PostAsync("/api/v3/update", TestManifest.Request("{}"), _scene.Ann)));
        Assert.Equal("NoPendingUpdate", OwnUpdateScene.Error(404, await empty.GetAsync("/api/v3/update-manifest")));
    }

    [Fact]
    public async Task Where_owners_are_configured_every_update_needs_one()
    {
        using ECDsa owner = ECDsa.Create(ECCurve.NamedCurves.nistP256), stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using OwnUpdateScene scene = await OwnUpdateScene.StartAsync(options => options with { OwnerKeys = [owner.ExportSubjectPublicKeyInfo()] }, null, (owner, ""));
        string next = scene.Manifest(manifest => manifest["Marbles"]!["free"]!["MaxActivations"] = 5), raise = OwnUpdateScene.Raise("enclave", 5);
        Assert.Equal("OwnerSignatureRequired", OwnUpdateScene.Error(403, await scene.UpdateAsync(next, scene.Ann)));
        Assert.Equal("OwnerSignatureRequired", OwnUpdateScene.Error(403, await scene.UpdateAsync(next, scene.Ann, stranger)));
        Assert.Equal("OwnerSignatureInvalid", OwnUpdateScene.Error(403, await scene.Coordinator.PostAsync("/api/v3/update", TestManifest.Request(next, (owner, raise)), scene.Ann)));
        Assert.Equal("OwnerSignatureRequired", OwnUpdateScene.Error(403, await scene.UpdateAsync(raise, scene.Ann)));
        Assert.Contains("/api/v3/update", UpdateScene.Message(500, await scene.Coordinator.PostAsync("/api/v2/update", UpdateScene.Body(raise), scene.Ann)), StringComparison.Ordinal);
        Assert.Equal(200, (await scene.UpdateAsync(raise, scene.Ann, owner)).Code);
        Assert.Equal(200, (await scene.UpdateAsync(next, scene.Ann, stranger, owner)).Code);
        JsonElement signed = (await scene.Coordinator.GetAsync("/api/v3/manifest")).Json.GetProperty("data").GetProperty("ownerSignatures");
        Assert.Equal(2, signed.GetArrayLength());
    }

    [Fact]
    public async Task MarbleRuns_paths_raise_and_agree_but_do_not_replace_Cloisters_manifest()
    {
        Assert.Contains("/api/v3/update", UpdateScene.Message(500, await _scene.Coordinator.PostAsync("/api/v2/update", UpdateScene.Body(_scene.Manifest(manifest =>
        {
            manifest["Packages"]!.AsObject().Remove("serving");
            foreach (string marble in new[] { "server", "once", "free" })
                manifest["Marbles"]![marble]!["Package"] = "enclave";
            manifest["Roles"]!["packages"]!["ResourceNames"] = new JsonArray("enclave");
        })), _scene.Ann)), StringComparison.Ordinal);
        Assert.Equal(200, (await _scene.Coordinator.PostAsync("/api/v2/update", UpdateScene.Body(OwnUpdateScene.Raise("enclave", 5)), _scene.Ann)).Code);
        await _scene.ReplaceAsync(manifest => manifest["Config"]!["UpdateThreshold"] = 2);
        string next = _scene.Manifest();
        Assert.Equal(200, (await _scene.UpdateAsync(next, _scene.Ann)).Code);
        Assert.Equal(200, (await _scene.Coordinator.PostAsync("/api/v2/update-manifest", UpdateScene.Body(next), _scene.Bob)).Code);
        Assert.Equal((TestManifest.Fingerprint(next), 1), (_scene.Fingerprint, _scene.Current.Manifest!.Document.Models.Count));
    }

    [Fact]
    public async Task A_raise_outlives_a_manifest_while_the_package_is_the_same()
    {
        Assert.Equal(200, (await _scene.UpdateAsync(OwnUpdateScene.Raise("enclave", 5), _scene.Ann)).Code);
        await _scene.ReplaceAsync(manifest => manifest["Marbles"]!["free"]!["MaxActivations"] = 5);
        Assert.Equal(5UL, PackageInForce.Find(_scene.Current, "enclave")!.SecurityVersion);
        await _scene.ReplaceAsync(manifest => manifest["Packages"]!["enclave"]!["ProductID"] = 8);
        Assert.Equal(3UL, PackageInForce.Find(_scene.Current, "enclave")!.SecurityVersion);
    }

    [Fact]
    public async Task The_doors_take_the_new_marble_root_and_open_connections_go_on()
    {
        byte[] oldKey = _scene.Current.Authority.IntermediateSpki.ToArray(), newKey = [];
        using ECDsa own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var keys = new List<byte[]>();
        using HttpClient open = _scene.Coordinator.Mesh(TestWorkload.SelfSigned(own), keys.Add);
        var channel = new GrpcChannel(open, open.BaseAddress!);
        await channel.UnaryAsync(MarbleService.ChallengePath, new ChallengeReq { Nonce = Google.Protobuf.ByteString.CopyFrom(new byte[32]) }, ChallengeResp.Parser);

        Assert.Equal(200, (await _scene.UpdateAsync(OwnUpdateScene.Raise("enclave", 5), _scene.Ann)).Code);

        ChallengeResp after = await channel.UnaryAsync(MarbleService.ChallengePath, new ChallengeReq { Nonce = Google.Protobuf.ByteString.CopyFrom(new byte[32]) }, ChallengeResp.Parser);
        Assert.Equal(oldKey, Assert.Single(keys));
        Assert.Equal(_scene.Current.Authority.MarbleRoot.RawData, after.MarbleRoot.ToByteArray());
        using (HttpClient fresh = _scene.Coordinator.Mesh(TestWorkload.SelfSigned(own), key => newKey = key))
            await new GrpcChannel(fresh, fresh.BaseAddress!).UnaryAsync(MarbleService.ChallengePath, new ChallengeReq { Nonce = Google.Protobuf.ByteString.CopyFrom(new byte[32]) }, ChallengeResp.Parser);
        Assert.Equal(_scene.Current.Authority.IntermediateSpki.ToArray(), newKey);
        Assert.NotEqual(oldKey, newKey);
    }

    [Fact]
    public async Task After_raises_a_running_workload_renews_and_after_a_new_manifest_it_is_activated_anew()
    {
        using var workload = new TestWorkload(_scene.Coordinator, "once");
        X509Certificate2 current = workload.Join(await workload.ActivateAsync());
        for (ulong version = 5; version < 8; version++)
            Assert.Equal(200, (await _scene.UpdateAsync(OwnUpdateScene.Raise("enclave", version), _scene.Ann)).Code);
        await _scene.Coordinator.RestartAsync();

        using var next = new TestWorkload(_scene.Coordinator, "once") { Uuid = workload.Uuid, Renewal = true, Connection = current };
        ActivationResp renewed = await next.ActivateAsync();
        Assert.Equal(_scene.Current.Authority.Intermediate.RawData, renewed.CertificateChain[1].ToByteArray());
        using X509Certificate2 leaf = X509CertificateLoader.LoadCertificate(renewed.CertificateChain[0].Span);
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_scene.Current.Authority.MarbleRoot);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = _scene.Coordinator.Clock.GetUtcNow().UtcDateTime;
        Assert.True(chain.Build(leaf));
        Assert.Equal(1, _scene.Current.Activations["once"]);

        for (ulong version = 8; version < 8 + (ulong)CertificateAuthority.MaxPrevious; version++)
            Assert.Equal(200, (await _scene.UpdateAsync(OwnUpdateScene.Raise("enclave", version), _scene.Ann)).Code);
        await RefusedAsync(current, workload.Uuid);

        X509Certificate2 latest = next.Join(renewed);
        await _scene.ReplaceAsync(manifest => manifest["Marbles"]!["free"]!["MaxActivations"] = 5);
        await RefusedAsync(latest, workload.Uuid);
    }

    [Fact]
    public async Task Shared_certificates_are_made_anew_under_the_new_intermediate()
    {
        await using OwnUpdateScene scene = await OwnUpdateScene.StartAsync(change: manifest =>
            manifest["Secrets"]!["server-cert"] = new JsonObject { ["Type"] = "cert-ecdsa", ["Size"] = 256, ["Shared"] = true });
        CoordinatorSnapshot first = scene.Current;
        Assert.Equal(200, (await scene.UpdateAsync(OwnUpdateScene.Raise("enclave", 5), scene.Ann)).Code);
        CoordinatorSnapshot raised = scene.Current;
        Assert.NotEqual(first.Secrets["server-cert"], raised.Secrets["server-cert"]);
        Assert.Equal(first.Secrets["shared"], raised.Secrets["shared"]);
        Assert.Equal(first.Secrets["model-key"], raised.Secrets["model-key"]);
        Assert.Empty(raised.PreviousSecrets);
        AssertSigned(raised);

        await scene.ReplaceAsync(manifest =>
        {
            manifest["Secrets"]!["server-cert"] = new JsonObject { ["Type"] = "cert-ecdsa", ["Size"] = 256, ["Shared"] = true };
            manifest["Marbles"]!["free"]!["MaxActivations"] = 5;
        });
        Assert.Equal(raised.Secrets["server-cert"], scene.Current.PreviousSecrets["server-cert"]);
        Assert.NotEqual(raised.Secrets["server-cert"], scene.Current.Secrets["server-cert"]);
        AssertSigned(scene.Current);

        void AssertSigned(CoordinatorSnapshot snapshot)
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(snapshot.Secrets["server-cert"].Certificate.Span);
            using X509Chain chain = new();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(snapshot.Authority.MarbleRoot);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.VerificationTime = scene.Coordinator.Clock.GetUtcNow().UtcDateTime;
            Assert.True(chain.Build(certificate));
        }
    }

    private async Task RefusedAsync(X509Certificate2 connection, string uuid)
    {
        using var workload = new TestWorkload(_scene.Coordinator, "once") { Uuid = uuid, Renewal = true, Connection = connection };
        GrpcException refused = await workload.RefusedAsync();
        Assert.Equal(GrpcStatus.PermissionDenied, refused.Status);
        Assert.Contains("renewal was refused", refused.Detail, StringComparison.Ordinal);
    }
}

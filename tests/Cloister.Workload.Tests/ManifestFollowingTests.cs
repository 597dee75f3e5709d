using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Trust;
using Cloister.Tests.Mesh;

namespace Cloister.Workload.Tests;

/// <summary>A running workload and a newer manifest: what it follows, what it waits for, and what ends it.</summary>
public sealed class ManifestFollowingTests
{
    [Fact]
    public async Task Rights_that_are_taken_away_end_without_a_restart_and_use_no_activation_up()
    {
        await using TestMesh mesh = await StartAsync(2);
        WorkloadActivator activator = mesh.Activator();
        using Activation activation = await activator.ActivateAsync();
        WorkloadCertificate first = activation.Identity.Current;
        byte[] firstRoot = activation.MarbleRoot.RawData;
        int changes = 0;
        activation.RightsChanged += (_, _) => changes++;
        for (int i = 0; i < 3; i++)
        {
            // Each leaves less than the one before.
            string manifest = Changed(mesh, 2, callers => callers.Remove(i == 0 ? "ben" : "nobody"), i);
            await mesh.UpdateAsync(manifest);
            await activator.RenewAsync(activation, CancellationToken.None);
            Assert.Equal(ManifestFingerprint.Of(Encoding.UTF8.GetBytes(manifest)), activation.ManifestFingerprint);
        }
        Assert.Equal(["anna"], activation.Callers.Select(caller => caller.Name));
        Assert.Equal(3, changes);
        Assert.NotEqual(first.SubjectPublicKeyInfo.ToArray(), activation.Identity.Current.SubjectPublicKeyInfo.ToArray());
        Assert.NotEqual(firstRoot, activation.MarbleRoot.RawData);
        // Another instance takes the second and last activation: the renewals took none.
        using Activation second = await mesh.Activator().ActivateAsync();
        Assert.Equal(activation.ManifestFingerprint, second.ManifestFingerprint);
    }

    [Fact]
    public async Task A_new_caller_waits_for_the_models_owner()
    {
        await using TestMesh mesh = await StartAsync(0);
        WorkloadActivator activator = mesh.Activator();
        using Activation activation = await activator.ActivateAsync();
        string before = activation.ManifestFingerprint;
        Assert.NotEmpty((await mesh.UpdateAsync(Changed(mesh, 0, callers => callers["eve"] = Caller("eve's")))).WithheldSecrets);
        GrpcException waits = await Assert.ThrowsAsync<GrpcException>(() => activator.RenewAsync(activation, CancellationToken.None));
        Assert.Equal(GrpcStatus.Internal, waits.Status);
        Assert.Equal((before, 2), (activation.ManifestFingerprint, activation.Callers.Count));

        await mesh.AcknowledgeAsync();
        await activator.RenewAsync(activation, CancellationToken.None);
        Assert.Equal(["anna", "ben", "eve"], activation.Callers.Select(caller => caller.Name));
    }

    [Theory, InlineData("Env"), InlineData("Argv"), InlineData("Package"), InlineData("Model"), InlineData("Mode"), InlineData("Gone")]
    public async Task A_workload_that_is_another_under_the_new_manifest_ends(string what)
    {
        await using TestMesh mesh = await StartAsync(0);
        WorkloadActivator activator = mesh.Activator();
        using Activation activation = await activator.ActivateAsync();
        JsonNode manifest = JsonNode.Parse(mesh.Manifest())!, marble = manifest["Marbles"]!["digits"]!;
        if (what == "Env") marble["Parameters"]!["Env"]!["GREETING"] = "good bye";
        else if (what == "Argv") marble["Parameters"]!["Argv"] = new JsonArray("serve", "--verbose");
        else if (what == "Package") manifest["Packages"]!["serving"]!["Simulation"]!["Digest"] = new string('0', 64);
        else if (what == "Model") manifest["Models"]!["digits"]!["MinimumVersion"] = 4;
        else if (what == "Mode") manifest["Models"]!["digits"]!["Mode"] = "enclave";
        else
        {
            manifest["Marbles"]!["figures"] = marble.DeepClone();
            manifest["Marbles"]!.AsObject().Remove("digits");
        }
        await mesh.UpdateAsync(manifest.ToJsonString());
        var ended = await Assert.ThrowsAsync<WorkloadException>(() => activator.RenewAsync(activation, CancellationToken.None));
        Assert.Equal(WorkloadError.ManifestChanged, ended.Error);
        Assert.Contains("Start it anew", ended.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_evidence_states_the_modes_before_and_after_a_newer_manifest()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(withManifest: false);
        JsonNode manifest = JsonNode.Parse(mesh.Manifest())!;
        manifest["Models"]!["digits"]!["Mode"] = "partitioned";
        manifest["Models"]!["digits"]!["Partition"] = JsonNode.Parse("""{ "MinimumScores": { "pictures": 0.75 } }""");
        await mesh.SetManifestAsync(manifest.ToJsonString());
        await mesh.SetModelKeyAsync();
        WorkloadActivator activator = mesh.Activator();
        using Activation activation = await activator.ActivateAsync();
        ModelGrant granted = Assert.Single(activation.Models);
        Assert.Equal("partitioned", granted.Mode);
        // Nobody is named, so the maker vouches.
        Assert.Equal(granted.MakerKey.ToArray(), granted.Partition!.AssessorKey.ToArray());
        Assert.Equal([KeyValuePair.Create("pictures", 0.75)], granted.Partition.MinimumScores);
        await StatesAsync(activation);

        await activator.RenewAsync(activation, CancellationToken.None);
        await StatesAsync(activation);
        string before = activation.ManifestFingerprint;
        manifest["Callers"]!.AsObject().Remove("anna");
        await mesh.UpdateAsync(manifest.ToJsonString());
        await activator.RenewAsync(activation, CancellationToken.None);
        Assert.NotEqual(before, activation.ManifestFingerprint);
        await StatesAsync(activation);

        static async Task StatesAsync(Activation activation)
        {
            byte[] evidence = await activation.Identity.IssueEvidenceAsync(RandomNumberGenerator.GetBytes(32));
            WorkloadStatement stated = WorkloadStatement.Read(EvidenceCodec.Decode(evidence).Value.Primary.RuntimeData.Span);
            Assert.Equal(activation.ManifestFingerprint, stated.ManifestFingerprint);
            Assert.Equal([KeyValuePair.Create("digits", "partitioned")], stated.Modes);
        }
    }

    [Fact]
    public async Task What_templates_make_of_the_new_manifest_is_compared_too()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(withManifest: false);
        JsonNode manifest = JsonNode.Parse(mesh.Manifest())!;
        manifest["Marbles"]!["digits"]!["Parameters"]!["Env"]!["ROOT"] = "{{ pem .MarbleRun.RootCA.Cert }}";
        await mesh.SetManifestAsync(manifest.ToJsonString());
        await mesh.SetModelKeyAsync();
        WorkloadActivator activator = mesh.Activator();
        using Activation activation = await activator.ActivateAsync();
        manifest["Callers"]!.AsObject().Remove("anna");
        await mesh.UpdateAsync(manifest.ToJsonString());
        // The marble root is new, so what the program was started with is no longer true.
        var ended = await Assert.ThrowsAsync<WorkloadException>(() => activator.RenewAsync(activation, CancellationToken.None));
        Assert.Contains("its environment", ended.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_loop_asks_for_the_manifest_and_follows_it_long_before_the_certificate_is_due()
    {
        await using TestMesh mesh = await StartAsync(0);
        var time = new ManualTime(DateTimeOffset.UtcNow);
        WorkloadActivator activator = mesh.Activator(time: time);
        using Activation activation = await activator.ActivateAsync();
        var changed = new TaskCompletionSource();
        activation.RightsChanged += (_, _) => changed.TrySetResult();
        using var renewal = new CertificateRenewal(activator, activation, time: time);
        using var end = new CancellationTokenSource();
        Task running = renewal.RunAsync(end.Token);
        await time.UntilSleepsAsync(TimeSpan.FromSeconds(59), TimeSpan.FromSeconds(60));
        time.Advance(TimeSpan.FromMinutes(1));
        // Nothing changed, so it sleeps again.
        await time.UntilSleepsAsync(TimeSpan.FromSeconds(59), TimeSpan.FromSeconds(60));
        Assert.False(changed.Task.IsCompleted);
        await mesh.UpdateAsync(Changed(mesh, 0, callers => callers.Remove("ben")));
        time.Advance(TimeSpan.FromMinutes(1));
        await changed.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(["anna"], activation.Callers.Select(caller => caller.Name));
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private static async Task<TestMesh> StartAsync(int maxActivations)
    {
        TestMesh mesh = await TestMesh.StartAsync(withManifest: false);
        await mesh.SetManifestAsync(Changed(mesh, maxActivations, _ => { }));
        await mesh.SetModelKeyAsync();
        return mesh;
    }

    // White space alone makes another manifest.
    private static string Changed(TestMesh mesh, int maxActivations, Action<JsonObject> change, int spaces = 0)
    {
        JsonNode manifest = JsonNode.Parse(mesh.Manifest(maxActivations: maxActivations))!;
        JsonObject callers = manifest["Callers"]!.AsObject();
        callers["ben"] = Caller("ben's");
        if (spaces > 0) callers.Remove("ben");
        change(callers);
        return manifest.ToJsonString() + new string(' ', spaces);
    }

    private static JsonObject Caller(string token) =>
        new() { ["TokenSha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token))), ["Models"] = new JsonArray("digits") };
}

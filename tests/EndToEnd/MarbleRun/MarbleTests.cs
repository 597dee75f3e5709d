using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Cloister.EndToEnd.MarbleRun;

/// <summary>Activation as MarbleRun's premain does it.</summary>
public sealed class MarbleTests
{
    [Fact]
    public async Task A_marble_gets_its_parameters_until_its_activations_are_used_up()
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        await flow.SetAsync();
        const string uuid = "d8d1b1f4-6a50-4c2c-8a57-17bd0a0a3a11";
        Activated first = (await flow.ActivateAsync("server", uuid)).Succeeded();
        Assert.Equal("foo", first.File("/tmp/plain.txt"));
        Assert.Equal("{{ raw }}", first.File("/tmp/as-is"));
        Assert.Equal(16, first.Files["/tmp/key"].Length);
        Assert.Equal(first.Files["/tmp/key"], first.Files["/tmp/previous"]);
        Assert.Equal(64, first.Variable("OWN").Length);
        Assert.Equal(["./marble", "serve"], first.Argv);
        Assert.Equal(first.Variable("ROOT"), first.Variable("MARBLE_PREDEFINED_COORDINATOR_ROOT_CA"));
        CheckIdentity(first, uuid, "server");

        await flow.Coordinator.RestartAsync();
        Activated second = (await flow.ActivateAsync("server", uuid.ToUpperInvariant())).Succeeded();
        Assert.Equal(first.Variable("OWN"), second.Variable("OWN"));
        Assert.Equal(first.Files["/tmp/key"], second.Files["/tmp/key"]);
        (await flow.ActivateAsync("server", uuid)).IsRefused(Activated.PermissionDenied, "marble verification failed: reached max activations count (2) for marble type \"server\"");
    }

    [Fact]
    public async Task What_is_wrong_with_a_request_is_said_with_marbleruns_codes()
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        await flow.SetAsync();
        (await flow.ActivateAsync("nope")).IsRefused(Activated.PermissionDenied, "marble verification failed: unknown marble type requested");
        (await flow.ActivateAsync("client", "x")).IsRefused(Activated.InvalidArgument, "invalid UUID: invalid UUID length: 1");
        Activated cut = await MarbleRunMarble.ActivateAsync(flow.Coordinator, "client", request: [1]);
        Assert.Equal(Activated.Internal, cut.Code);
        Assert.StartsWith("generating marble authentication secrets: parsing CSR: ", cut.Message, StringComparison.Ordinal);
        foreach (string uuid in new[] { "{d8d1b1f4-6a50-4c2c-8a57-17bd0a0a3a11}", "urn:uuid:d8d1b1f4-6a50-4c2c-8a57-17bd0a0a3a11", "d8d1b1f46a504c2c8a5717bd0a0a3a11" })
            CheckIdentity((await flow.ActivateAsync("client", uuid)).Succeeded(), "d8d1b1f4-6a50-4c2c-8a57-17bd0a0a3a11", "client");
    }

    [Fact]
    public async Task Transparent_tls_is_configured_by_the_environment()
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        await flow.SetAsync();
        Activated marble = (await flow.ActivateAsync("server")).Succeeded();
        JsonNode tls = JsonNode.Parse(marble.Variable("MARBLE_TTLS_CONFIG"))!["tls"]!;
        string own = marble.Variable("MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN");
        JsonNode outgoing = tls["Outgoing"]!["service.namespace:4242"]!;
        Assert.Equal(["cacrt", "clicrt", "clikey"], outgoing.AsObject().Select(member => member.Key).Order());
        Assert.Equal(marble.Variable("MARBLE_PREDEFINED_ROOT_CA"), (string)outgoing["cacrt"]!);
        Assert.StartsWith((string)outgoing["clicrt"]!, own, StringComparison.Ordinal);
        Assert.Equal(marble.Variable("MARBLE_PREDEFINED_PRIVATE_KEY"), (string)outgoing["clikey"]!);
        JsonNode incoming = tls["Incoming"]!["*:8080"]!;
        Assert.True((bool)incoming["clientAuth"]!);
        Assert.Equal((string)outgoing["clicrt"]!, (string)incoming["clicrt"]!);
        JsonNode open = tls["Incoming"]!["*:9090"]!;
        Assert.False((bool)open["clientAuth"]!);
        using X509Certificate2 front = X509Certificate2.CreateFromPem((string)open["clicrt"]!, (string)open["clikey"]!);
        Assert.Equal("CN=front", front.Subject);
        Assert.False((await flow.ActivateAsync("client")).Succeeded().Env.ContainsKey("MARBLE_TTLS_CONFIG"));
    }

    [Fact]
    public async Task A_counter_only_goes_up_and_survives_a_restart()
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        await flow.SetAsync();
        Activated marble = (await flow.ActivateAsync("counting")).Succeeded();
        using X509Certificate2 pem = X509Certificate2.CreateFromPem(marble.Variable("MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN"), marble.Variable("MARBLE_PREDEFINED_PRIVATE_KEY"));
        using X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        Assert.Equal(0, await SetAsync(5));
        Assert.Equal(5, await SetAsync(3));
        Assert.Equal(5, await SetAsync(9));
        await flow.Coordinator.RestartAsync();
        Assert.Equal(9, await SetAsync(10));
        Assert.Equal(10, await SetAsync(1));
        using MarbleRunApi stranger = flow.Coordinator.Api(flow.Stranger);
        Assert.Equal(401, (await stranger.PostAsync("/api/v2/monotonic-counter", """{"name":"n","value":1}""")).Code);

        async Task<int> SetAsync(int value)
        {
            using var api = new MarbleRunApi(flow.Coordinator.Client, certificate);
            return (int)(await api.PostAsync("/api/v2/monotonic-counter", $$"""{"name":"n","value":{{value}}}""")).Succeeded().Data["value"]!;
        }
    }

    private static void CheckIdentity(Activated marble, string uuid, string type)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(marble.Variable("MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN"));
        Assert.Equal(2, chain.Count);
        using X509Certificate2 leaf = X509Certificate2.CreateFromPem(chain[0].ExportCertificatePem(), marble.Variable("MARBLE_PREDEFINED_PRIVATE_KEY"));
        Assert.Equal($"CN={uuid}", leaf.Subject);
        Assert.Equal(type, Encoding.UTF8.GetString(leaf.Extensions["1.3.9903.2.1"]!.RawData));
        X509KeyUsageExtension usage = leaf.Extensions.OfType<X509KeyUsageExtension>().Single();
        Assert.Equal(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyAgreement, usage.KeyUsages);
        using ECDsa key = leaf.GetECDsaPublicKey()!;
        Assert.Equal(384, key.KeySize);
        using X509Certificate2 marbleRoot = X509Certificate2.CreateFromPem(marble.Variable("MARBLE_PREDEFINED_ROOT_CA"));
        using X509Certificate2 root = X509Certificate2.CreateFromPem(marble.Variable("MARBLE_PREDEFINED_COORDINATOR_ROOT_CA"));
        Assert.True(Builds(leaf, [], marbleRoot));
        Assert.True(Builds(leaf, [chain[1]], root));
        Assert.Equal(marbleRoot.PublicKey.ExportSubjectPublicKeyInfo(), chain[1].PublicKey.ExportSubjectPublicKeyInfo());
    }

    private static bool Builds(X509Certificate2 leaf, X509Certificate2[] between, X509Certificate2 root)
    {
        using var built = new X509Chain();
        built.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        built.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        built.ChainPolicy.CustomTrustStore.Add(root);
        built.ChainPolicy.ExtraStore.AddRange(between);
        return built.Build(leaf);
    }
}

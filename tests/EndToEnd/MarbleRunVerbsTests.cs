using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Cloister.EndToEnd;

/// <summary>The words of MarbleRun's CLI against the real coordinator process in MarbleRun's simulation.</summary>
public sealed class MarbleRunVerbsTests
{
    private const string Recorded = """
        Packages:
          backend:
            SignerID: "1f1f"
            ProductID: 3
            SecurityVersion: 2
            Debug: true
        Marbles:
          client:
            Package: backend
            MaxActivations: 0
            Parameters:
              Env:
                K: "{{ hex .Secrets.shared }}"
                Q: 'it''s <a> & "b"'
                NL: |
                  line one
                  line two
                EMPTY: ""
                NULLED: null
                U: "é ü 日本 \u2028 x 🎉"
                PLAIN: a+b 'c' /path
                TAB: "a\tb\bc\fd\u0001\u007f"
              Argv: [./a.out, --x, "1"]
        Secrets:
          shared: {Type: symmetric-key, Size: 128, Shared: true}


        """;

    private static JsonObject Manifest(params (string Name, string Certificate)[] users) => new()
    {
        ["Packages"] = new JsonObject { ["p"] = new JsonObject { ["SignerID"] = new string('b', 64), ["ProductID"] = 3, ["SecurityVersion"] = 1 } },
        ["Marbles"] = new JsonObject { ["m"] = new JsonObject { ["Package"] = "p" } },
        ["Secrets"] = new JsonObject
        {
            ["key"] = new JsonObject { ["Type"] = "symmetric-key", ["Size"] = 128, ["UserDefined"] = true },
            ["text"] = new JsonObject { ["Type"] = "plain", ["UserDefined"] = true },
        },
        ["Users"] = new JsonObject(users.Select(user => KeyValuePair.Create(user.Name, (JsonNode?)new JsonObject { ["Certificate"] = user.Certificate, ["Roles"] = new JsonArray("write", "read", "packages", "update") }))),
        ["Roles"] = new JsonObject
        {
            ["write"] = new JsonObject { ["ResourceType"] = "Secrets", ["ResourceNames"] = new JsonArray("key", "text"), ["Actions"] = new JsonArray("WriteSecret") },
            ["read"] = new JsonObject { ["ResourceType"] = "Secrets", ["ResourceNames"] = new JsonArray("key", "text"), ["Actions"] = new JsonArray("ReadSecret") },
            ["packages"] = new JsonObject { ["ResourceType"] = "Packages", ["ResourceNames"] = new JsonArray("p"), ["Actions"] = new JsonArray("UpdateSecurityVersion") },
            ["update"] = new JsonObject { ["ResourceType"] = "Manifest", ["Actions"] = new JsonArray("UpdateManifest") },
        },
    };

    [Fact]
    public async Task A_coordinator_is_waited_for_set_up_and_given_secrets()
    {
        await using SimulatingCoordinator coordinator = await SimulatingCoordinator.StartAsync();
        string address = coordinator.Address, manifest = coordinator.Write("manifest.json", Manifest(("admin", await coordinator.UserAsync("admin"))));
        Ended check = await CloisterCommand.RunAsync("check", address, "--json");
        check.Succeeded();
        Assert.Equal(2, (int)check.Lines[0]["code"]!);

        Ended refused = await CloisterCommand.RunAsync("manifest", "set", manifest, address);
        Assert.Equal(3, refused.Code);
        Assert.Contains("--policy", refused.Error, StringComparison.Ordinal);

        Ended set = await CloisterCommand.RunAsync("manifest", "set", manifest, address, "-i", "--coordinator-cert", coordinator["kept.pem"], "--json");
        set.Succeeded();
        Assert.Contains("WARNING", set.Error, StringComparison.Ordinal);
        string fingerprint = (string)set.Lines[0]["fingerprint"]!;
        Assert.Equal(fingerprint, (string)(await CloisterCommand.RunAsync("manifest", "signature", manifest, "--json")).Lines[0]["fingerprint"]!);
        (await CloisterCommand.RunAsync("manifest", "verify", manifest, address, "-i")).Succeeded();
        (await CloisterCommand.RunAsync("manifest", "verify", fingerprint.ToUpperInvariant(), address, "-i")).Succeeded();
        Assert.Equal(3, (await CloisterCommand.RunAsync("manifest", "verify", new string('0', 64), address, "-i")).Code);

        Ended got = await CloisterCommand.RunAsync("manifest", "get", address, "-i", "-s");
        got.Succeeded();
        Assert.Equal(fingerprint, (string)JsonNode.Parse(got.Output)!["ManifestSignature"]!);
        (await CloisterCommand.RunAsync("manifest", "get", address, "-i", "-o", coordinator["got.json"])).Succeeded();
        Assert.Equal(await File.ReadAllBytesAsync(manifest), await File.ReadAllBytesAsync(coordinator["got.json"]));

        string secrets = coordinator.Write("secrets.json", new JsonObject { ["key"] = new JsonObject { ["Key"] = Convert.ToBase64String(new byte[16]) }, ["text"] = new JsonObject { ["key"] = "aGVsbG8=" } });
        string[] admin = ["-c", coordinator["admin.crt"], "-k", coordinator["admin.key"], "--coordinator-cert", coordinator["kept.pem"]];
        Assert.Equal(3, (await CloisterCommand.RunAsync(["secret", "set", secrets, address, "--manifest", new string('0', 64), .. admin])).Code);
        (await CloisterCommand.RunAsync(["secret", "set", secrets, address, "--manifest", fingerprint, .. admin])).Succeeded();
        Ended read = await CloisterCommand.RunAsync(["secret", "get", "text", "key", address, .. admin, "--json"]);
        read.Succeeded();
        Assert.Equal(["AAAAAAAAAAAAAAAAAAAAAA==", "aGVsbG8="], read.Lines.Select(line => (string)line["value"]!));
        (await CloisterCommand.RunAsync(["secret", "get", "text", address, .. admin, "-o", coordinator["read.json"]])).Succeeded();
        Assert.Equal("aGVsbG8=", (string)JsonNode.Parse(await File.ReadAllTextAsync(coordinator["read.json"]))!["text"]!["Public"]!);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(coordinator["read.json"]));

        await coordinator.UserAsync("stranger");
        Ended stranger = await CloisterCommand.RunAsync(["secret", "get", "text", address, .. coordinator.As("stranger")]);
        Assert.Equal(6, stranger.Code);
        Ended log = await CloisterCommand.RunAsync("manifest", "log", address, "--coordinator-cert", coordinator["kept.pem"]);
        log.Succeeded();
        Assert.Contains("Initial manifest set", log.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Certificates_are_written_and_tell_another_coordinator_from_this_one()
    {
        await using SimulatingCoordinator coordinator = await SimulatingCoordinator.StartAsync(), other = await SimulatingCoordinator.StartAsync();
        foreach ((string name, int count) in new[] { ("root", 1), ("intermediate", 1), ("chain", 2) })
        {
            Ended ended = await CloisterCommand.RunAsync("certificate", name, coordinator.Address, "-i", "-o", coordinator[name + ".crt"]);
            ended.Succeeded();
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPemFile(coordinator[name + ".crt"]);
            Assert.Equal(count, certificates.Count);
        }
        (await CloisterCommand.RunAsync("status", coordinator.Address, "--coordinator-cert", coordinator["chain.crt"])).Succeeded();
        Ended stranger = await CloisterCommand.RunAsync("status", other.Address, "--coordinator-cert", coordinator["chain.crt"]);
        Assert.Equal(3, stranger.Code);
        Assert.Contains("another TLS key", stranger.Error, StringComparison.Ordinal);
        Assert.Equal(4, (await CloisterCommand.RunAsync("status", other.Address, "--coordinator-cert", coordinator["root.crt"])).Code);
    }

    [Fact]
    public async Task A_simulating_coordinator_does_not_pass_for_an_enclave()
    {
        await using SimulatingCoordinator coordinator = await SimulatingCoordinator.StartAsync();
        string era = coordinator.Write("era.json", new JsonObject { ["SignerID"] = new string('b', 64), ["ProductID"] = 3, ["SecurityVersion"] = 1 });
        Ended refused = await CloisterCommand.RunAsync("certificate", "root", coordinator.Address, "--era-config", era, "-o", coordinator["root.crt"]);
        Assert.Equal(3, refused.Code);
        Assert.Contains("simulation", refused.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(coordinator["root.crt"]));
        Assert.Equal(2, (await CloisterCommand.RunAsync("certificate", "root", coordinator.Address, "--era-config", era, "-i")).Code);
        Assert.Equal(2, (await CloisterCommand.RunAsync("certificate", "root", coordinator.Address, "--era-config", era, "--accepted-tcb-statuses", "UpToDate,Revoked")).Code);
    }

    [Fact]
    public async Task A_manifest_in_YAML_has_the_fingerprint_of_MarbleRuns_JSON()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["m.yaml"], "Marbles:\n  m: {Package: p}\nPackages:\n  p:\n    UniqueID: 'a<b'\n    Debug: true\n    SecurityVersion: 1\n");
        const string Json = """{"Marbles":{"m":{"Package":"p"}},"Packages":{"p":{"Debug":true,"SecurityVersion":1,"UniqueID":"a\u003cb"}}}""";
        Ended ended = await CloisterCommand.RunAsync("manifest", "signature", folder["m.yaml"]);
        ended.Succeeded();
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Json))), ended.Output.Trim());
        // Recorded from MarbleRun's own CLI, version 1.9.1.
        await File.WriteAllTextAsync(folder["n.yaml"], Recorded);
        Assert.Equal("c2aa8f5ebc663c8a5a0831148814f07eaaac7352da1c5c6ef88061750bb69db9", (await CloisterCommand.RunAsync("manifest", "signature", folder["n.yaml"])).Output.Trim());
        foreach (string text in new[] { "just a sentence", "Packages: {p: {Debug: yes}}", "Packages: {p: {ProductID: 0x10}}", "Packages: {p: {UniqueID: 12e4}}", "Packages: &a {}\nMarbles: *a", "A: 1\nA: 2", "- 1", "a: [" })
        {
            await File.WriteAllTextAsync(folder["m.txt"], text);
            Assert.Equal(4, (await CloisterCommand.RunAsync("manifest", "signature", folder["m.txt"])).Code);
        }
    }

    [Fact]
    public async Task Updates_are_applied_acknowledged_and_cancelled_by_the_users()
    {
        await using SimulatingCoordinator coordinator = await SimulatingCoordinator.StartAsync();
        string address = coordinator.Address;
        (string, string) alice = ("alice", await coordinator.UserAsync("alice")), bob = ("bob", await coordinator.UserAsync("bob"));
        JsonObject manifest = Manifest(alice, bob);
        (await CloisterCommand.RunAsync("manifest", "set", coordinator.Write("manifest.json", manifest), address, "-i")).Succeeded();

        string raise = coordinator.Write("raise.json", new JsonObject { ["Packages"] = new JsonObject { ["p"] = new JsonObject { ["SecurityVersion"] = 5 } } });
        Ended raised = await CloisterCommand.RunAsync(["manifest", "update", "apply", raise, address, .. coordinator.As("alice"), "--json"]);
        raised.Succeeded();
        Assert.True((bool)raised.Lines[0]["inForce"]!);
        Ended merged = await CloisterCommand.RunAsync("manifest", "get", address, "-i", "-u");
        merged.Succeeded();
        Assert.Equal(5, (int)JsonNode.Parse(merged.Output)!["Packages"]!["p"]!["SecurityVersion"]!);

        manifest["Marbles"]!["n"] = new JsonObject { ["Package"] = "p" };
        string update = coordinator.Write("update.json", manifest);
        Assert.Equal(5, (await CloisterCommand.RunAsync("manifest", "update", "get", address, "-i")).Code);
        Ended pending = await CloisterCommand.RunAsync(["manifest", "update", "apply", update, address, .. coordinator.As("alice"), "--json"]);
        pending.Succeeded();
        Assert.Equal(1, (int)pending.Lines[0]["missingAcknowledgments"]!);
        Ended missing = await CloisterCommand.RunAsync("manifest", "update", "get", address, "-i", "--missing");
        Assert.Contains("bob", missing.Output, StringComparison.Ordinal);
        (await CloisterCommand.RunAsync(["manifest", "update", "cancel", address, .. coordinator.As("bob")])).Succeeded();
        Assert.Equal(5, (await CloisterCommand.RunAsync("manifest", "update", "get", address, "-i")).Code);

        (await CloisterCommand.RunAsync(["manifest", "update", "apply", update, address, .. coordinator.As("alice")])).Succeeded();
        (await CloisterCommand.RunAsync("manifest", "update", "get", address, "-i", "-o", coordinator["pending.json"])).Succeeded();
        Ended agreed = await CloisterCommand.RunAsync(["manifest", "update", "acknowledge", coordinator["pending.json"], address, .. coordinator.As("bob"), "--json"]);
        agreed.Succeeded();
        Assert.True((bool)agreed.Lines[0]["inForce"]!);
        (await CloisterCommand.RunAsync("manifest", "verify", update, address, "-i")).Succeeded();
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{ \"a\": \"c2VjcmV0\" }")]
    [InlineData("{ \"a\": { \"Key\": \"c2VjcmV0 not base64\" } }")]
    [InlineData("{ \"a\": { \"Value\": \"c2VjcmV0\" } }")]
    [InlineData("{ \"a\": { \"Key\": \"c2VjcmV0\" }, \"a\": {} }")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "--from-pem", "a")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "--from-pem", "a")]
    [InlineData("no PEM", "--from-pem", "a")]
    public async Task Secrets_that_are_none_are_refused_before_anybody_is_asked(string text, params string[] more)
    {
        using var folder = new TemporaryFolder();
        (await CloisterCommand.RunAsync("user", "keygen", "--name", "u", "--out", folder.Path)).Succeeded();
        await File.WriteAllTextAsync(folder["secrets"], text);
        Ended ended = await CloisterCommand.RunAsync(["secret", "set", folder["secrets"], "127.0.0.1:1", "-i", "-c", folder["u.crt"], "-k", folder["u.key"], .. more]);
        Assert.Equal(4, ended.Code);
        Assert.DoesNotContain("c2VjcmV0", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_coordinator_is_recovered_with_a_key_here_and_a_key_offline()
    {
        await using SimulatingCoordinator coordinator = await SimulatingCoordinator.StartAsync();
        string address = coordinator.Address;
        using RSA alice = RSA.Create(2048), bob = RSA.Create(2048);
        JsonObject manifest = Manifest(("admin", await coordinator.UserAsync("admin")));
        manifest["RecoveryKeys"] = new JsonObject { ["alice"] = alice.ExportSubjectPublicKeyInfoPem(), ["bob"] = bob.ExportSubjectPublicKeyInfoPem() };
        await File.WriteAllTextAsync(coordinator["alice.pem"], alice.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(coordinator["bob.pem"], bob.ExportRSAPrivateKeyPem());
        (await CloisterCommand.RunAsync("manifest", "set", coordinator.Write("manifest.json", manifest), address, "-i", "-r", coordinator["recovery.json"])).Succeeded();
        JsonNode secrets = JsonNode.Parse(await File.ReadAllTextAsync(coordinator["recovery.json"]))!["RecoverySecrets"]!;
        foreach (string holder in new[] { "alice", "bob" })
            await File.WriteAllBytesAsync(coordinator[holder + ".share"], Convert.FromBase64String((string)secrets[holder]!));

        await coordinator.StopAsync();
        File.Delete(Path.Combine(coordinator["state"], "sealed_key"));
        await coordinator.RestartAsync();
        Assert.StartsWith("1:", (await CloisterCommand.RunAsync("status", address)).Output, StringComparison.Ordinal);

        Assert.Equal(3, (await CloisterCommand.RunAsync("recover", coordinator["alice.share"], address, "-i", "--key", coordinator["bob.pem"])).Code);
        Assert.Equal(2, (await CloisterCommand.RunAsync("recover", coordinator["alice.share"], address, "-i")).Code);
        Ended first = await CloisterCommand.RunAsync("recover", coordinator["alice.share"], address, "-i", "--key", coordinator["alice.pem"], "--json");
        first.Succeeded();
        Assert.Equal(1, (int)first.Lines[0]["remaining"]!);

        (await CloisterCommand.RunAsync("recover-with-signature", "public-key", address, "-i", "-o", coordinator["coordinator.pem"])).Succeeded();
        (await CloisterCommand.RunAsync("recover-with-signature", "encrypt-secret", coordinator["bob.share"], "--coordinator-pub-key", coordinator["coordinator.pem"], "-k", coordinator["bob.pem"], "-o", coordinator["bob.enc"])).Succeeded();
        (await CloisterCommand.RunAsync("recover-with-signature", "sign-secret", coordinator["bob.share"], "-k", coordinator["bob.pem"], "-o", coordinator["bob.sig"])).Succeeded();
        Assert.Equal(2, (await CloisterCommand.RunAsync("recover-with-signature", coordinator["bob.enc"], address, "-i")).Code);
        Ended last = await CloisterCommand.RunAsync("recover-with-signature", coordinator["bob.enc"], address, "-i", "-s", coordinator["bob.sig"], "--json");
        last.Succeeded();
        Assert.True((bool)last.Lines[0]["recovered"]!);
        Assert.StartsWith("3:", (await CloisterCommand.RunAsync("status", address)).Output, StringComparison.Ordinal);
        (await CloisterCommand.RunAsync("manifest", "verify", coordinator["manifest.json"], address, "-i")).Succeeded();
    }
}

using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Tests;

namespace Cloister.EndToEnd;

/// <summary>A user and a recovery holder whose keys stay in a PKCS#11 token.</summary>
[Collection(nameof(SoftToken))]
public sealed class TokenVerbsTests(SoftToken soft)
{
    [TokenFact]
    public async Task A_users_key_in_a_token_reads_what_it_wrote()
    {
        await using SimulatingCoordinator coordinator = await SimulatingCoordinator.StartAsync();
        string address = coordinator.Address, configuration = Configuration(coordinator);
        foreach (string label in new[] { "p384", "rsa" })
        {
            var manifest = new JsonObject
            {
                ["Packages"] = new JsonObject { ["p"] = new JsonObject { ["UniqueID"] = new string('a', 64) } },
                ["Marbles"] = new JsonObject { ["m"] = new JsonObject { ["Package"] = "p" } },
                ["Secrets"] = new JsonObject { ["text"] = new JsonObject { ["Type"] = "plain", ["UserDefined"] = true } },
                ["Users"] = new JsonObject
                {
                    ["p384"] = new JsonObject { ["Certificate"] = soft.Certificates["p384"], ["Roles"] = new JsonArray("all") },
                    ["rsa"] = new JsonObject { ["Certificate"] = soft.Certificates["rsa"], ["Roles"] = new JsonArray("all") },
                },
                ["Roles"] = new JsonObject { ["all"] = new JsonObject { ["ResourceType"] = "Secrets", ["ResourceNames"] = new JsonArray("text"), ["Actions"] = new JsonArray("WriteSecret", "ReadSecret") } },
            };
            if (label == "p384")
                (await CloisterCommand.RunAsync("manifest", "set", coordinator.Write("manifest.json", manifest), address, "-i")).Succeeded();
            string[] user = ["-i", "--pkcs11-config", configuration, "--pkcs11-key-label", label, "--pkcs11-cert-label", label];
            string value = Convert.ToBase64String(Encoding.UTF8.GetBytes(label));
            (await CloisterCommand.RunAsync(["secret", "set", coordinator.Write("secret.json", new JsonObject { ["text"] = new JsonObject { ["Key"] = value } }), address, .. user])).Succeeded();
            Ended read = await CloisterCommand.RunAsync(["secret", "get", "text", address, .. user, "--json"]);
            read.Succeeded();
            Assert.Equal(value, (string)read.Lines[0]["value"]!);
        }
        Ended stranger = await CloisterCommand.RunAsync("secret", "get", "text", address, "-i", "--pkcs11-config", configuration, "--pkcs11-key-id", "hex:02", "--pkcs11-cert-id", "hex:02");
        Assert.Equal(6, stranger.Code);
        Ended mixed = await CloisterCommand.RunAsync("secret", "get", "text", address, "-i", "--pkcs11-config", configuration, "--pkcs11-key-label", "rsa");
        Assert.Equal(2, mixed.Code);
    }

    [TokenFact]
    public async Task A_recovery_key_in_a_token_opens_and_signs_a_share()
    {
        using var folder = new TemporaryFolder();
        using var half = RSA.Create();
        half.ImportSubjectPublicKeyInfo(soft.RsaKey, out _);
        byte[] share = RandomNumberGenerator.GetBytes(33);
        await File.WriteAllBytesAsync(folder["share"], half.Encrypt(share, RSAEncryptionPadding.OaepSHA256));
        await File.WriteAllTextAsync(folder["token.json"], SoftToken.Configuration());
        Ended signed = await CloisterCommand.RunAsync("recover-with-signature", "sign-secret", folder["share"], "--pkcs11-config", folder["token.json"], "--pkcs11-key-id", "hex:01", "-o", folder["sig"]);
        signed.Succeeded();
        Assert.True(half.VerifyData(share, await File.ReadAllBytesAsync(folder["sig"]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

        await File.WriteAllTextAsync(folder["wrong.json"], SoftToken.Configuration(pin: "0000"));
        Ended locked = await CloisterCommand.RunAsync("recover-with-signature", "sign-secret", folder["share"], "--pkcs11-config", folder["wrong.json"], "--pkcs11-key-label", "rsa", "-o", folder["sig2"]);
        Assert.Equal(6, locked.Code);
        Assert.DoesNotContain("0000", locked.Error, StringComparison.Ordinal);
        Ended curve = await CloisterCommand.RunAsync("recover-with-signature", "sign-secret", folder["share"], "--pkcs11-config", folder["token.json"], "--pkcs11-key-label", "p256", "-o", folder["sig2"]);
        Assert.Equal(4, curve.Code);
        Assert.False(File.Exists(folder["sig2"]));
    }

    private static string Configuration(SimulatingCoordinator coordinator)
    {
        File.WriteAllText(coordinator["token.json"], SoftToken.Configuration());
        return coordinator["token.json"];
    }
}

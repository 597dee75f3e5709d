using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Cloister.EndToEnd.MarbleRun;

/// <summary>A restart, and what follows when the sealed key is gone.</summary>
public sealed class RecoveryTests
{
    [Theory]
    [InlineData("")]
    [InlineData("ProductKey")]
    [InlineData("UniqueKey")]
    public async Task The_owner_of_the_recovery_key_brings_the_state_back(string sealMode)
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        JsonObject manifest = flow.Manifest();
        manifest["Config"] = new JsonObject { ["SealMode"] = sealMode };
        byte[] secret = flow.Owner.Decrypt((string)(await flow.SetAsync(manifest))!["owner"]!);
        Assert.Equal(32, secret.Length);
        byte[] key = (await flow.ActivateAsync("server")).Succeeded().Files["/tmp/key"];
        string root = await RootAsync(flow);
        await flow.Coordinator.RestartAsync();
        Assert.Equal((3, root), (await StatusAsync(flow), await RootAsync(flow)));

        await flow.Coordinator.RestartAsync("sealed_key");
        Assert.Equal(1, await StatusAsync(flow));
        (await flow.ActivateAsync("client")).IsRefused(Activated.FailedPrecondition, "cannot accept marbles in current state");
        using (MarbleRunApi anyone = flow.Coordinator.Api())
        {
            // MarbleRun keeps a stranger's bytes as a share, and the owner's first attempt after it fails; here they do no harm.
            await anyone.RecoverAsync(new byte[32], []);
            Assert.Equal(500, (await anyone.RecoverAsync(secret, [])).Code);
            Assert.Equal(500, (await anyone.RecoverAsync(secret, flow.Stranger.Sign(secret))).Code);
            Assert.Equal(1, await anyone.StatusAsync());
            RestAnswer recovered = (await anyone.RecoverAsync(secret, flow.Owner.Sign(secret))).Succeeded();
            Assert.Equal("""{"status":"success","data":{"remaining":0,"message":"Recovery successful."}}""" + "\n", recovered.Body);
            (await anyone.RecoverAsync(secret, flow.Owner.Sign(secret))).IsError(500, "server is not in expected state");
        }
        Assert.Equal((3, root), (await StatusAsync(flow), await RootAsync(flow)));
        await flow.Coordinator.RestartAsync();
        Assert.Equal((3, root), (await StatusAsync(flow), await RootAsync(flow)));
        Assert.Equal(key, (await flow.ActivateAsync("server")).Succeeded().Files["/tmp/key"]);
    }

    [Fact]
    public async Task Or_a_new_manifest_begins_anew()
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        await flow.SetAsync();
        byte[] key = (await flow.ActivateAsync("server")).Succeeded().Files["/tmp/key"];
        await flow.Coordinator.RestartAsync("sealed_key");
        Assert.Equal(1, await StatusAsync(flow));
        await flow.SetAsync();
        Assert.Equal(3, await StatusAsync(flow));
        await flow.Coordinator.RestartAsync();
        Assert.Equal(3, await StatusAsync(flow));
        Assert.NotEqual(key, (await flow.ActivateAsync("server")).Succeeded().Files["/tmp/key"]);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public async Task Several_owners_recover_together(int threshold, bool encrypted)
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        MarbleRunUser[] owners = [flow.Owner, flow.First, flow.Second];
        JsonObject manifest = flow.Manifest();
        manifest["RecoveryKeys"] = new JsonObject { ["a"] = flow.Owner.RecoveryKey, ["b"] = flow.First.RecoveryKey, ["c"] = flow.Second.RecoveryKey };
        manifest["Config"] = new JsonObject { ["RecoveryThreshold"] = threshold };
        JsonObject sealedShares = (await flow.SetAsync(manifest))!;
        byte[][] shares = [.. new[] { "a", "b", "c" }.Select((name, i) => owners[i].Decrypt((string)sealedShares[name]!))];
        Assert.All(shares, share => Assert.Equal(threshold == 0 ? 32 : 33, share.Length));
        string root = await RootAsync(flow);
        await flow.Coordinator.RestartAsync("sealed_key");

        using MarbleRunApi anyone = flow.Coordinator.Api();
        int needed = threshold == 0 ? 3 : threshold;
        for (int i = needed - 1; i >= 0; i--)
        {
            Assert.Equal(1, await anyone.StatusAsync());
            byte[] share = encrypted ? await EncryptAsync(anyone, shares[i]) : shares[i];
            RestAnswer answer = (await anyone.RecoverAsync(share, owners[i].Sign(shares[i]))).Succeeded();
            // Until it is over MarbleRun counts to all shares, also where fewer are enough.
            Assert.Equal(i == 0 ? 0 : owners.Length - (needed - i), (int)answer.Data["remaining"]!);
        }
        Assert.Equal((3, root), (await anyone.StatusAsync(), await RootAsync(flow)));
        await flow.Coordinator.RestartAsync();
        Assert.Equal((3, root), (await StatusAsync(flow), await RootAsync(flow)));
    }

    [Fact]
    public async Task A_disabled_seal_keeps_nothing()
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        JsonObject manifest = flow.Manifest();
        manifest["Config"] = JsonNode.Parse("""{"SealMode":"Disabled"}""");
        await flow.SetAsync(manifest);
        (await flow.ActivateAsync("client")).Succeeded();
        await flow.Coordinator.RestartAsync();
        Assert.Equal(2, await StatusAsync(flow));
    }

    private static async Task<byte[]> EncryptAsync(MarbleRunApi api, byte[] share)
    {
        JsonNode key = (await api.GetAsync("/api/v2/recover/public-key")).Succeeded().Data;
        Assert.Equal("RSA", (string)key["algorithm"]!);
        using var rsa = RSA.Create();
        rsa.ImportSubjectPublicKeyInfo(Convert.FromBase64String((string)key["ephemeralPublicKey"]!), out _);
        Assert.Equal(4096, rsa.KeySize);
        return rsa.Encrypt(share, RSAEncryptionPadding.OaepSHA256);
    }

    private static async Task<int> StatusAsync(MarbleRunFlow flow)
    {
        using MarbleRunApi anyone = flow.Coordinator.Api();
        return await anyone.StatusAsync();
    }

    private static async Task<string> RootAsync(MarbleRunFlow flow)
    {
        using MarbleRunApi anyone = flow.Coordinator.Api();
        await anyone.StatusAsync();
        return anyone.Root!.Thumbprint;
    }
}

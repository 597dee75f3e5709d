using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.Tests.Hosting;

namespace Cloister.Coordinator.Tests.Recovery;

/// <summary>People with recovery keys, and what they do with them.</summary>
internal sealed class Holders : IDisposable
{
    private readonly RSA[] _keys;

    public Holders(int count) => _keys = [.. Enumerable.Range(0, count).Select(_ => RSA.Create(2048))];

    public static string Name(int holder) => $"holder-{holder}";

    public RSA Key(int holder) => _keys[holder];

    /// <summary>The manifest with these recovery keys.</summary>
    public JsonObject AddTo(JsonObject manifest, int threshold = 0)
    {
        manifest["RecoveryKeys"] = new JsonObject(_keys.Select((key, i) => KeyValuePair.Create(Name(i), (JsonNode?)key.ExportSubjectPublicKeyInfoPem())));
        if (threshold > 0)
            manifest["Config"] = new JsonObject { ["RecoveryThreshold"] = threshold };
        return manifest;
    }

    /// <summary>The secrets out of the answer to a manifest.</summary>
    public byte[][] Open(JsonElement recoverySecrets)
    {
        Assert.Equal(_keys.Length, recoverySecrets.EnumerateObject().Count());
        return [.. _keys.Select((key, i) => key.Decrypt(recoverySecrets.GetProperty(Name(i)).GetBytesFromBase64(), RSAEncryptionPadding.OaepSHA256))];
    }

    /// <summary>Sets a manifest in Cloister's dialect and opens the secrets of the answer.</summary>
    public async Task<byte[][]> SetAsync(TestCoordinator coordinator, int threshold = 0)
    {
        (int code, JsonElement answer) = await coordinator.SetManifestAsync(AddTo(new TestManifest(coordinator.HostKey).Json(), threshold).ToJsonString());
        Assert.True(code == 200, answer.ToString());
        return Open(answer.GetProperty("data").GetProperty("recoverySecrets"));
    }

    public byte[] Sign(int holder, byte[] secret) => _keys[holder].SignData(secret, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    public static string Body(byte[] secret, byte[] signature) => JsonSerializer.Serialize(new { recoverySecret = secret, recoverySecretSignature = signature });

    public Task<(int Code, JsonElement Json)> UploadAsync(TestCoordinator coordinator, int holder, byte[] secret, string path = "/api/v3/recover") =>
        coordinator.PostAsync(path, Body(secret, Sign(holder, secret)));

    public void Dispose()
    {
        foreach (RSA key in _keys)
            key.Dispose();
    }
}

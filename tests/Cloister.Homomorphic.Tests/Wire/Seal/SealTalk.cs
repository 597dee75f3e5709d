using System.Text.Json.Nodes;
using Cloister.Homomorphic.Wire.Seal;

namespace Cloister.Homomorphic.Tests.Wire.Seal;

/// <summary>What the tests ask node-seal again and again.</summary>
internal sealed class SealTalk(SealPeer peer)
{
    /// <summary>A ciphertext under the context's own keys.</summary>
    /// <param name="chain">The context.</param>
    /// <param name="message">n coefficients.</param>
    /// <param name="how"><c>seeded</c>, <c>symmetric</c> or <c>public</c>.</param>
    /// <param name="compression"><c>none</c>, <c>zlib</c> or <c>zstd</c>.</param>
    internal async Task<byte[]> EncryptAsync(SealChain chain, ulong[] message, string how, string compression) =>
        await peer.BytesAsync("encrypt", With(chain, ("plaintext", SealFormat.WritePlaintext(message, chain.Parameters(), SealVersion.NodeSeal7)), ("how", how), ("compression", compression)));

    /// <summary>The message as SEAL saves it and as it prints it: both must be the same, and some noise budget left.</summary>
    internal async Task<ulong[]> DecryptAsync(SealChain chain, byte[] ciphertext)
    {
        JsonNode answer = await peer.AskAsync("decrypt", With(chain, ("ciphertext", ciphertext)));
        ulong[] message = SealFormat.ReadPlaintext(Bytes(answer["plaintext"]), chain.Parameters(), out _);
        var printed = new ulong[chain.Degree];
        foreach ((string power, JsonNode? coefficient) in answer["coefficients"]!.AsObject()) printed[int.Parse(power)] = ulong.Parse((string)coefficient!);
        Assert.Equal(printed, message);
        Assert.True((int)answer["budget"]! > 0);
        return message;
    }

    internal static JsonObject With(SealChain chain, params ReadOnlySpan<(string Name, object Value)> members)
    {
        JsonObject request = chain.Request();
        foreach ((string name, object value) in members) request[name] = value switch { byte[] bytes => Convert.ToBase64String(bytes), JsonNode node => node, int number => number, _ => (string)value };
        return request;
    }

    internal static byte[] Bytes(JsonNode? base64) => Convert.FromBase64String((string)base64!);
}

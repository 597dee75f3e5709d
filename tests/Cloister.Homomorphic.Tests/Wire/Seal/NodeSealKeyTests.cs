using System.Text.Json.Nodes;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Schemes;
using Cloister.Homomorphic.Wire.Seal;

namespace Cloister.Homomorphic.Tests.Wire.Seal;

/// <summary>Products and rotations with the keys of the other side.</summary>
public sealed class NodeSealKeyTests(SealPeer peer) : IClassFixture<SealPeer>
{
    private readonly SealTalk _talk = new(peer);

    public static TheoryData<string, string> Keys()
    {
        var all = new TheoryData<string, string>();
        foreach (string chain in (string[])["forest", "small", "slots"])
            foreach (string compression in (string[])["none", "zlib"]) all.Add(chain, compression);
        return all;
    }

    [NodeSealTheory, MemberData(nameof(Keys))]
    public async Task Cloister_multiplies_relinearises_and_rotates_with_the_keys_of_node_seal(string name, string compression)
    {
        SealChain chain = SealChain.Of(name);
        RlweParameters parameters = chain.Parameters();
        var slots = new SlotEncoder(parameters);
        ulong[] a = chain.Message(1), b = chain.Message(2);
        await peer.AskAsync("context", chain.Description());
        JsonNode keys = await peer.AskAsync("generate", SealTalk.With(chain, ("compression", compression), ("steps", new JsonArray(1, -3, 0))));
        using SecretKey secret = SealFormat.ReadSecretKey(SealTalk.Bytes(keys["secret"]), parameters, out SealVersion version);
        byte[] first = await _talk.EncryptAsync(chain, slots.Encode(a), "seeded", compression), second = await _talk.EncryptAsync(chain, slots.Encode(b), "public", compression);
        byte[] product = await peer.BytesAsync("compute", SealTalk.With(chain, ("what", "multiply"), ("a", first), ("b", second), ("compression", compression)));
        ulong[] products = [.. a.Zip(b, (x, y) => x * y % chain.T)];
        using Ciphertext left = SealFormat.ReadCiphertext(first, parameters, out _), right = SealFormat.ReadCiphertext(second, parameters, out _);
        using Ciphertext ours = new CiphertextMultiplier(parameters).Multiply(left, right);
        Assert.Equal(products, slots.Decode(await _talk.DecryptAsync(chain, SealFormat.WriteCiphertext(ours, version, SealChain.Compression(compression)))));
        foreach (string seeded in (string[])["", "Seeded"])
        {
            using RelinearizationKey relin = SealFormat.ReadRelinearizationKey(SealTalk.Bytes(keys[$"relin{seeded}"]), parameters, out _);
            using GaloisKeys galois = SealFormat.ReadGaloisKeys(SealTalk.Bytes(keys[$"galois{seeded}"]), parameters, out _);
            Assert.Equal(((int[])[GaloisKeys.Element(chain.Degree, 1), GaloisKeys.Element(chain.Degree, -3), 2 * chain.Degree - 1]).Order(), galois.Elements);
            using Ciphertext ciphertext = SealFormat.ReadCiphertext(product, parameters, out _);
            Assert.Equal(3, ciphertext.Size);
            Assert.Equal(products, slots.Decode(Encryption.Decrypt(ciphertext, secret)));
            ciphertext.Relinearize(relin);
            using Ciphertext oursInTwo = ours.Copy();
            oursInTwo.Relinearize(relin);
            Assert.Equal(products, slots.Decode(await _talk.DecryptAsync(chain, SealFormat.WriteCiphertext(oursInTwo, version))));
            Assert.Equal(products, slots.Decode(await _talk.DecryptAsync(chain, SealFormat.WriteCiphertext(ciphertext, version, SealChain.Compression(compression)))));
            foreach (int steps in (int[])[1, -3])
            {
                using Ciphertext rotated = ciphertext.Copy();
                rotated.RotateRows(steps, galois);
                Assert.Equal(Rotate(products, steps), slots.Decode(await _talk.DecryptAsync(chain, SealFormat.WriteCiphertext(rotated, version))));
            }
            ciphertext.SwapRows(galois);
            Assert.Equal(Swap(products), slots.Decode(await _talk.DecryptAsync(chain, SealFormat.WriteCiphertext(ciphertext, version))));
        }
    }

    [NodeSealTheory, MemberData(nameof(Keys))]
    public async Task Node_seal_relinearises_and_rotates_with_the_keys_of_Cloister(string name, string compression)
    {
        SealChain chain = SealChain.Of(name);
        RlweParameters parameters = chain.Parameters();
        SealCompression method = SealChain.Compression(compression);
        SealVersion version = SealVersion.NodeSeal7;
        var slots = new SlotEncoder(parameters);
        ulong[] a = chain.Message(3), b = chain.Message(4), products = [.. a.Zip(b, (x, y) => x * y % chain.T)];
        using SecretKey secret = SecretKey.Generate(parameters);
        using PublicKey open = PublicKey.Of(secret);
        using RelinearizationKey relin = RelinearizationKey.Of(secret);
        using GaloisKeys galois = GaloisKeys.Of(secret, [1, -3], swapRows: true);
        byte[] relinBytes = SealFormat.WriteRelinearizationKey(relin, version, method), galoisBytes = SealFormat.WriteGaloisKeys(galois, version, method);
        await peer.AskAsync("context", chain.Description());
        await peer.AskAsync("adopt", SealTalk.With(chain, ("secret", SealFormat.WriteSecretKey(secret, version, method)), ("open", SealFormat.WritePublicKey(open, version, method)), ("relin", relinBytes), ("galois", galoisBytes)));
        Assert.Equal(SealFormat.WriteRelinearizationKey(relin, version), await peer.BytesAsync("echo", SealTalk.With(chain, ("type", "RelinKeys"), ("data", relinBytes))));
        Assert.Equal(SealFormat.WriteGaloisKeys(galois, version), await peer.BytesAsync("echo", SealTalk.With(chain, ("type", "GaloisKeys"), ("data", galoisBytes))));

        byte[] product = await peer.BytesAsync("compute", SealTalk.With(chain, ("what", "multiply"), ("a", SealFormat.Encrypt(slots.Encode(a), secret, version, method)), ("b", SealFormat.Encrypt(slots.Encode(b), secret, version, method))));
        using Ciphertext three = SealFormat.ReadCiphertext(product, parameters, out _);
        Assert.Equal(product, SealFormat.WriteCiphertext(three, version));
        byte[] two = await peer.BytesAsync("compute", SealTalk.With(chain, ("what", "relinearize"), ("a", product), ("compression", compression)));
        Assert.Equal(products, Open(two));
        foreach (int steps in (int[])[1, -3])
            Assert.Equal(Rotate(products, steps), Open(await peer.BytesAsync("compute", SealTalk.With(chain, ("what", "rotateRows"), ("a", two), ("steps", steps)))));
        Assert.Equal(Swap(products), Open(await peer.BytesAsync("compute", SealTalk.With(chain, ("what", "rotateColumns"), ("a", two)))));

        ulong[] Open(byte[] bytes)
        {
            using Ciphertext ciphertext = SealFormat.ReadCiphertext(bytes, parameters, out _);
            return slots.Decode(Encryption.Decrypt(ciphertext, secret));
        }
    }

    private static ulong[] Swap(ulong[] numbers) => [.. numbers[(numbers.Length / 2)..], .. numbers[..(numbers.Length / 2)]];

    // Each row moves to the left.
    private static ulong[] Rotate(ulong[] numbers, int steps)
    {
        int row = numbers.Length / 2;
        return [.. Enumerable.Range(0, numbers.Length).Select(i => numbers[i / row * row + (i % row + steps + row) % row])];
    }
}

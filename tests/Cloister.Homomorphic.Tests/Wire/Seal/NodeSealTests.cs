using System.Buffers.Binary;
using System.Text.Json.Nodes;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Schemes;
using Cloister.Homomorphic.Wire.Seal;

namespace Cloister.Homomorphic.Tests.Wire.Seal;

/// <summary>Cloister and node-seal 7, each as the client of the other, over every chain.</summary>
public sealed class NodeSealTests(SealPeer peer) : IClassFixture<SealPeer>
{
    private readonly SealTalk _talk = new(peer);

    public static TheoryData<string, string, string> Encryptions()
    {
        var all = new TheoryData<string, string, string>();
        foreach (string chain in SealChain.All)
            foreach (string how in (string[])["seeded", "symmetric", "public"])
                foreach (string compression in (string[])["none", "zlib"]) all.Add(chain, how, compression);
        return all;
    }

    public static TheoryData<string, string> Compressions()
    {
        var all = new TheoryData<string, string>();
        foreach (string chain in SealChain.All)
            foreach (string compression in (string[])["none", "zlib"]) all.Add(chain, compression);
        return all;
    }

    public static TheoryData<string> Chains => SealChain.All;

    [NodeSealTheory, MemberData(nameof(Chains))]
    public async Task Both_choose_the_same_primes_and_name_the_levels_alike(string name)
    {
        SealChain chain = SealChain.Of(name);
        JsonNode context = await peer.AskAsync("context", chain.Description());
        SealParameters ours = SealParameters.Of(chain.Parameters());
        byte[] theirs = Convert.FromBase64String((string)context["parameters"]!);
        Assert.Equal(theirs, ours.Write(SealVersion.NodeSeal7));
        Assert.Equal(Words(context["keyId"]!), ours.Id(ours.Moduli.Count));
        Assert.Equal(Words(context["firstId"]!), ours.Id(ours.DataModuli));

        SealParameters read = SealParameters.Read(Convert.FromBase64String((string)context["zlib"]!), out SealVersion version);
        Assert.Equal(SealVersion.NodeSeal7, version);
        Assert.Equal((chain.Degree, chain.T), (read.Degree, read.PlaintextModulus));
        Assert.Equal(ours.Moduli, read.Moduli);
        Assert.Equal(ours.Moduli.Count > 1 ? 1 : 0, read.ToRlwe().SpecialModuli);
        await peer.AskAsync("context", new JsonObject { ["name"] = "again", ["parameters"] = Convert.ToBase64String(ours.Write(version, SealCompression.Zlib)) });
    }

    [NodeSealTheory, MemberData(nameof(Encryptions))]
    public async Task Node_seal_encrypts_Cloister_computes_node_seal_decrypts(string name, string how, string compression)
    {
        SealChain chain = SealChain.Of(name);
        RlweParameters parameters = chain.Parameters();
        await peer.AskAsync("context", chain.Description());
        await peer.AskAsync("generate", SealTalk.With(chain, ("compression", compression)));
        ulong[] a = chain.Message(1), b = chain.Message(2), factor = new ulong[chain.Degree];
        (factor[0], factor[1], factor[chain.Degree - 1]) = (2, chain.T - 1, 3);
        byte[] encryptedA = await _talk.EncryptAsync(chain, a, how, compression), encryptedB = await _talk.EncryptAsync(chain, b, how, compression);

        using Ciphertext x = SealFormat.ReadCiphertext(encryptedA, parameters, out SealVersion version), y = SealFormat.ReadCiphertext(encryptedB, parameters, out _);
        Assert.Equal(SealVersion.NodeSeal7, version);
        x.Add(y);
        x.MultiplyPlain(factor);
        x.AddPlain(b);
        ulong[] expected = Sum(Product(Sum(a, b, chain.T), factor, chain.T), b, chain.T);
        Assert.Equal(expected, await _talk.DecryptAsync(chain, SealFormat.WriteCiphertext(x, version, SealChain.Compression(compression))));
    }

    [NodeSealTheory, MemberData(nameof(Compressions))]
    public async Task Cloister_reads_the_keys_of_node_seal(string name, string compression)
    {
        SealChain chain = SealChain.Of(name);
        RlweParameters parameters = chain.Parameters();
        await peer.AskAsync("context", chain.Description());
        JsonNode keys = await peer.AskAsync("generate", SealTalk.With(chain, ("compression", compression)));
        using SecretKey secret = SealFormat.ReadSecretKey(SealTalk.Bytes(keys["secret"]), parameters, out SealVersion version);
        Assert.Equal(SealVersion.NodeSeal7, version);
        ulong[] message = chain.Message(3);
        foreach (string how in (string[])["seeded", "symmetric", "public"])
        {
            using Ciphertext ciphertext = SealFormat.ReadCiphertext(await _talk.EncryptAsync(chain, message, how, compression), parameters, out _);
            Assert.Equal(message, Encryption.Decrypt(ciphertext, secret));
        }
        foreach (string kind in (string[])["open", "openSeeded"])
        {
            using PublicKey open = SealFormat.ReadPublicKey(SealTalk.Bytes(keys[kind]), parameters, out version);
            using Ciphertext ciphertext = Encryption.Encrypt(message, open);
            Assert.Equal(message, Encryption.Decrypt(ciphertext, secret));
            Assert.Equal(message, await _talk.DecryptAsync(chain, SealFormat.WriteCiphertext(ciphertext, version)));
        }
    }

    [NodeSealTheory, MemberData(nameof(Compressions))]
    public async Task Cloister_makes_keys_and_encrypts_node_seal_computes_Cloister_decrypts(string name, string compression)
    {
        SealChain chain = SealChain.Of(name);
        RlweParameters parameters = chain.Parameters();
        SealCompression method = SealChain.Compression(compression);
        SealVersion version = SealVersion.NodeSeal7;
        using SecretKey secret = SecretKey.Generate(parameters);
        using PublicKey open = PublicKey.Of(secret);
        await peer.AskAsync("context", chain.Description());
        await peer.AskAsync("adopt", SealTalk.With(chain, ("secret", SealFormat.WriteSecretKey(secret, version, method)), ("open", SealFormat.WritePublicKey(open, version, method))));
        ulong[] a = chain.Message(4), b = chain.Message(5), factor = new ulong[chain.Degree];
        (factor[0], factor[7]) = (1, chain.T - 2); // of a single term SEAL does not take the balanced coefficient, and the noise of this one would be too much
        using Ciphertext y = Encryption.Encrypt(b, open);
        byte[] sum = await peer.BytesAsync("compute", SealTalk.With(chain, ("what", "add"), ("a", SealFormat.Encrypt(a, secret, version, method)), ("b", SealFormat.WriteCiphertext(y, version, method)), ("compression", compression)));
        byte[] product = await peer.BytesAsync("compute", SealTalk.With(chain, ("what", "multiplyPlain"), ("a", sum), ("plaintext", SealFormat.WritePlaintext(factor, parameters, version, method)), ("compression", compression)));
        using Ciphertext result = SealFormat.ReadCiphertext(product, parameters, out SealVersion theirs);
        Assert.Equal(version, theirs);
        Assert.Equal(Product(Sum(a, b, chain.T), factor, chain.T), Encryption.Decrypt(result, secret));

        // What node-seal encrypts under the adopted keys, Cloister decrypts.
        foreach (string how in (string[])["seeded", "symmetric", "public"])
        {
            using Ciphertext ciphertext = SealFormat.ReadCiphertext(await _talk.EncryptAsync(chain, a, how, compression), parameters, out _);
            Assert.Equal(a, Encryption.Decrypt(ciphertext, secret));
        }
    }

    [NodeSealTheory, MemberData(nameof(Compressions))]
    public async Task Every_object_that_Cloister_writes_is_the_one_that_node_seal_would_write(string name, string compression)
    {
        SealChain chain = SealChain.Of(name);
        RlweParameters parameters = chain.Parameters();
        SealVersion version = SealVersion.NodeSeal7;
        SealCompression method = SealChain.Compression(compression);
        using SecretKey secret = SecretKey.Generate(parameters);
        using PublicKey open = PublicKey.Of(secret);
        using Ciphertext ciphertext = Encryption.Encrypt(chain.Message(6), open);
        await peer.AskAsync("context", chain.Description());
        foreach ((string type, Func<SealCompression, byte[]> write) in (IEnumerable<(string, Func<SealCompression, byte[]>)>)
        [
            ("SecretKey", how => SealFormat.WriteSecretKey(secret, version, how)),
            ("PublicKey", how => SealFormat.WritePublicKey(open, version, how)),
            ("Ciphertext", how => SealFormat.WriteCiphertext(ciphertext, version, how)),
            ("Plaintext", how => SealFormat.WritePlaintext(chain.Message(6), parameters, version, how)),
        ])
            Assert.Equal(write(SealCompression.None), await peer.BytesAsync("echo", SealTalk.With(chain, ("type", type), ("data", write(method)))));
    }

    [NodeSealTheory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Seeds_stand_for_the_same_polynomials_on_both_sides(int generator)
    {
        // Of primes close below a power of two hardly a word is drawn again; of these, one in 2^18.
        RlweParameters parameters = RlweParameters.Create(RingParameters.Create(16384, MiddlePrimes.Below(48, 32768, 8)), 65537, 1);
        var chain = new SealChain("middle", 16384, [], 65537);
        await peer.AskAsync("context", SealTalk.With(chain, ("parameters", SealParameters.Of(parameters).Write(SealVersion.NodeSeal7))));
        byte[][] seeds = [.. Enumerable.Range(0, 64).Select(first => (byte[])[.. Enumerable.Range(first, SealSeed.SeedBytes).Select(i => (byte)i)]).Where(seed => MiddlePrimes.Redrawn(parameters.Basis, (SealGenerator)generator, seed) > 1).Take(2)];
        Assert.Equal(2, seeds.Length);
        foreach (byte[] seed in seeds)
        {
            byte[] bytes = Seeded(parameters, (SealGenerator)generator, seed);
            using Ciphertext ciphertext = SealFormat.ReadCiphertext(bytes, parameters, out SealVersion version);
            byte[] theirs = await peer.BytesAsync("echo", SealTalk.With(chain, ("type", "Ciphertext"), ("data", bytes)));
            Assert.True(theirs.AsSpan().SequenceEqual(SealFormat.WriteCiphertext(ciphertext, version)));
        }
    }

    [NodeSealFact]
    public async Task Numbers_in_slots_are_the_same_numbers_on_both_sides()
    {
        SealChain chain = SealChain.Slots;
        RlweParameters parameters = chain.Parameters();
        var slots = new SlotEncoder(parameters);
        await peer.AskAsync("context", chain.Description());
        await peer.AskAsync("generate", SealTalk.With(chain));
        ulong[] numbers = [.. Enumerable.Range(0, chain.Degree).Select(i => (ulong)i * 7 % chain.T)];
        byte[] encoded = await peer.BytesAsync("encode", SealTalk.With(chain, ("numbers", new JsonArray([.. numbers.Select(number => JsonValue.Create(number.ToString()))]))));
        Assert.Equal(numbers, slots.Decode(SealFormat.ReadPlaintext(encoded, parameters, out SealVersion version)));
        JsonNode decoded = await peer.AskAsync("decode", SealTalk.With(chain, ("plaintext", SealFormat.WritePlaintext(slots.Encode(numbers), parameters, version))));
        Assert.Equal(numbers, decoded.AsArray().Select(number => ulong.Parse((string)number!)));

        using Ciphertext ciphertext = SealFormat.ReadCiphertext(await _talk.EncryptAsync(chain, slots.Encode(numbers), "seeded", "zlib"), parameters, out version);
        ciphertext.MultiplyPlain(slots.Encode(numbers));
        ulong[] squares = await _talk.DecryptAsync(chain, SealFormat.WriteCiphertext(ciphertext, version, SealCompression.Zlib));
        Assert.Equal(numbers.Select(number => number * number % chain.T), slots.Decode(squares));
    }

    [NodeSealFact]
    public async Task Lower_levels_are_read_and_written()
    {
        SealChain chain = SealChain.Slots;
        RlweParameters parameters = chain.Parameters();
        await peer.AskAsync("context", chain.Description());
        await peer.AskAsync("generate", SealTalk.With(chain));
        ulong[] message = chain.Message(8);
        byte[] bytes = await _talk.EncryptAsync(chain, message, "seeded", "none");
        for (int moduli = 3; moduli >= 1; moduli--)
        {
            bytes = await peer.BytesAsync("compute", SealTalk.With(chain, ("what", "modSwitch"), ("a", bytes)));
            using Ciphertext ciphertext = SealFormat.ReadCiphertext(bytes, parameters, out SealVersion version);
            Assert.Equal(moduli, ciphertext.Basis.Count);
            Assert.Equal(bytes, SealFormat.WriteCiphertext(ciphertext, version));
            if (moduli == 1) continue;
            using Ciphertext smaller = ciphertext.DropModulus();
            Assert.Equal(message, await _talk.DecryptAsync(chain, SealFormat.WriteCiphertext(smaller, version)));
        }
    }

    [NodeSealFact]
    public async Task Node_seal_reads_answers_of_its_own_version_alone()
    {
        SealChain chain = SealChain.Linear;
        RlweParameters parameters = chain.Parameters();
        await peer.AskAsync("context", chain.Description());
        await peer.AskAsync("generate", SealTalk.With(chain));
        using Ciphertext ciphertext = SealFormat.ReadCiphertext(await _talk.EncryptAsync(chain, chain.Message(9), "seeded", "none"), parameters, out SealVersion version);
        foreach (byte minor in (byte[])[0, 2, 3, 4])
            Assert.Contains("incompatible version", await peer.RefusalAsync("decrypt", SealTalk.With(chain, ("ciphertext", SealFormat.WriteCiphertext(ciphertext, new SealVersion(4, minor))))));
        Assert.Equal(chain.Message(9), await _talk.DecryptAsync(chain, SealFormat.WriteCiphertext(ciphertext, version)));
    }

    [NodeSealFact]
    public async Task What_node_seal_saves_by_zstd_or_in_values_is_refused_with_the_reason()
    {
        SealChain chain = SealChain.Linear;
        RlweParameters parameters = chain.Parameters();
        await peer.AskAsync("context", chain.Description());
        await peer.AskAsync("generate", SealTalk.With(chain));
        byte[] zstd = await _talk.EncryptAsync(chain, chain.Message(10), "seeded", "zstd");
        HomomorphicException refusal = Assert.Throws<HomomorphicException>(() => SealFormat.ReadCiphertext(zstd, parameters, out _));
        Assert.Equal(HomomorphicError.SealCompression, refusal.Error);
        Assert.Contains("zstd", refusal.Message);
        byte[] values = await peer.BytesAsync("compute", SealTalk.With(chain, ("what", "toNtt"), ("a", await _talk.EncryptAsync(chain, chain.Message(10), "seeded", "none"))));
        Assert.Equal(HomomorphicError.SealForm, Assert.Throws<HomomorphicException>(() => SealFormat.ReadCiphertext(values, parameters, out _)).Error);
    }

    private static byte[] Seeded(RlweParameters parameters, SealGenerator generator, byte[] seed)
    {
        var polynomials = new SealPolynomials(parameters.Basis, IsKey: false, 2);
        using var c0 = new RnsPolynomial(parameters.Basis, RnsForm.Values);
        byte[] bytes = SealFormat.NewObject(polynomials.MemberBytes(seeded: true), SealVersion.NodeSeal7);
        var writer = new SealWriter(bytes.AsSpan(SealHeader.Bytes), SealVersion.NodeSeal7);
        polynomials.WriteSeeded(ref writer, SealParameters.Of(parameters), c0, new SealSeed(generator, seed));
        return SealBody.Close(bytes, SealVersion.NodeSeal7, SealCompression.None);
    }

    private static byte[] Words(JsonNode words)
    {
        byte[] bytes = new byte[32];
        for (int i = 0; i < 4; i++) BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * 8), ulong.Parse((string)words[i]!));
        return bytes;
    }

    private static ulong[] Sum(ulong[] a, ulong[] b, ulong t) => [.. a.Zip(b, (x, y) => (x + y) % t)];

    private static ulong[] Product(ulong[] a, ulong[] b, ulong t)
    {
        int n = a.Length;
        var product = new ulong[n];
        for (int j = 0; j < n; j++)
        {
            for (int i = 0; b[j] != 0 && i < n; i++)
            {
                ulong term = a[i] * b[j] % t; // both are below 2^26
                int at = (i + j) % n;
                product[at] = (product[at] + (i + j < n ? term : t - term)) % t;
            }
        }
        return product;
    }
}

using System.Security.Cryptography;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire;
using Cloister.Homomorphic.Schemes;
using Cloister.Homomorphic.Wire.Seal;

namespace Cloister.Homomorphic.Tests;

/// <summary>What the README shows, run.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public void The_first_snippet_holds()
    {
        ulong prime = NttPrimes.Generate(bits: 49, step: 2 * 4096, count: 1)[0];
        var ntt = new NegacyclicNtt(4096, new Modulus(prime));
        double[] a = new double[4096], b = new double[4096];
        a[4095] = 1;
        b[1] = 1;
        ntt.Forward(a);
        ntt.Forward(b);
        for (int i = 0; i < a.Length; i++) a[i] = ntt.Modulus.Multiply(a[i], b[i]);
        ntt.Inverse(a);
        Assert.Equal([-1, .. new double[4095]], a);
    }

    [Fact]
    public void The_second_snippet_holds()
    {
        RingParameters parameters = RingParameters.Standard(8192);
        using var secret = new RnsPolynomial(parameters.Basis);
        using var uniform = new RnsPolynomial(parameters.Basis, RnsForm.Values);
        using (SeedExpander stream = SeedExpander.Fresh()) Samplers.Ternary(stream, secret);
        using (SeedExpander stream = SeedExpander.Fresh()) Samplers.Uniform(stream, uniform);
        secret.ToValues();
        uniform.Multiply(secret);

        var division = new RnsDivision(parameters.Basis);
        using var smaller = new RnsPolynomial(division.Remaining);
        division.Divide(uniform, smaller);
        Assert.Equal(RnsForm.Values, smaller.Form);
        Assert.Equal(4, smaller.Basis.Count);
    }

    [Fact]
    public void The_snippet_of_a_linear_model_holds()
    {
        var model = new LinearModel
        {
            Features = ["age", "pressure"],
            Classes = ["well", "ill"],
            Link = LinkFunction.Logistic,
            Weights = [[0.04, 0.02]],
            Intercepts = [-4.5],
        };
        double[][] table = [[20, 110], [45, 135], [80, 180]];
        using CompiledModel server = LinearCompiler.Compile(model, table, new LinearOptions { Name = "risk" });
        Assert.NotEmpty(server.Client.Learns);

        ModelClient client = ModelClients.Create(server.Client);
        using SecretKey key = SecretKey.Generate(client.Parameters);
        using ClientQuery query = client.Encrypt([[61, 150], [30, 120]], key, publicKey: null);
        using EncryptedQuery received = query.Expand();
        using EncryptedAnswer answer = server.Evaluate(received, AnswerForm.Compact, CancellationToken.None);
        IReadOnlyList<ModelAnswer> answers = client.Decrypt(answer, key);
        Assert.Equal(["ill", "well"], answers.Select(a => a.Class));
        Assert.Equal([0.72, 0.29], answers.Select(a => Math.Round(a.Values[0], 2)));
        What_travels_and_what_is_kept(server, client);
    }

    private static void What_travels_and_what_is_kept(CompiledModel server, ModelClient client)
    {
        byte[] file;
        using (ClientKey made = ClientKey.Generate(client.Parameters))
            file = KeyFile.Write(made, "a passphrase of words"u8);

        using ClientKey kept = KeyFile.Read(file, "a passphrase of words"u8);
        using var asking = new KeyedModel(server.Client, kept);
        byte[] question = asking.Encrypt([[61, 150]]);
        Assert.Equal((12_640, 1024), (question.Length, server.Client.Layout.Rows));

        using EncryptedQuery read = QueryFormat.Read(question, server.Parameters, server.Client);
        using EncryptedAnswer computed = server.Evaluate(read, AnswerForm.Compact, CancellationToken.None);
        byte[] reply = AnswerFormat.Write(computed, server.Parameters, server.Client);

        ModelAnswer prediction = asking.Decrypt(reply)[0];
        Assert.Equal(("ill", 0.72), (prediction.Class, Math.Round(prediction.Values[0], 2)));
    }

    [Fact]
    public void The_snippet_of_trees_holds()
    {
        double[][] table = [[20, 110], [45, 135], [80, 180]];
        var trees = new Forest
        {
            Features = ["age", "pressure"],
            BaseScores = [0.5],
            Trees =
            [
                new([new() { Feature = 0, Threshold = 50, Yes = 1, No = 2 }, new() { Values = [-1] }, new() { Values = [1] }]),
                new([new() { Feature = 1, Threshold = 130, Yes = 1, No = 2 }, new() { Values = [-0.5] }, new() { Values = [0.25] }]),
            ],
        };
        using CompiledModel forest = ForestCompiler.Compile(trees, table, new ForestOptions { Name = "trees" });
        ModelClient asker = ModelClients.Create(forest.Client);
        using SecretKey secret = SecretKey.Generate(forest.Parameters);
        using PublicKey open = PublicKey.Of(secret);
        using ClientQuery row = asker.Encrypt([[70, 150]], secret, open);
        using EncryptedQuery arrived = row.Expand();
        using EncryptedAnswer scores = forest.Evaluate(arrived, AnswerForm.Compact, CancellationToken.None);
        double score = asker.Decrypt(scores, secret)[0].Scores[0];
        Assert.Equal(1.75, score);
    }

    [Fact]
    public void The_third_snippet_holds()
    {
        RlweParameters rlwe = RlweParameters.Create(RingParameters.Standard(4096), plaintextModulus: 65537);
        using SecretKey key = SecretKey.Generate(rlwe);
        using PublicKey open = PublicKey.Of(key);
        ulong[] message = new ulong[4096];
        message[0] = 20;
        message[1] = 1;
        using SeededCiphertext small = Encryption.Encrypt(message, key);
        using Ciphertext x = small.Expand(), y = Encryption.Encrypt(message, open);
        x.Add(y);
        x.MultiplyPlain([.. new ulong[1], 3, .. new ulong[4094]]);
        ulong[] result = Encryption.Decrypt(x, key);
        Assert.Equal([0UL, 120, 6, .. new ulong[4093]], result);
    }

    [Fact]
    public void The_snippet_about_SEAL_holds()
    {
        RlweParameters rlwe = RlweParameters.Create(RingParameters.Standard(4096), 65537, specialModuli: 1);
        byte[] forSeal = SealParameters.Of(rlwe).Write(SealVersion.NodeSeal7);
        Assert.Equal(rlwe.Ring.Basis.Count, SealParameters.Read(forSeal, out _).Moduli.Count);

        using SecretKey key = SecretKey.Generate(rlwe);
        byte[] question = SealFormat.Encrypt([20, 1, .. new ulong[4094]], key, SealVersion.NodeSeal7, SealCompression.Zlib);

        using Ciphertext x = SealFormat.ReadCiphertext(question, rlwe, out SealVersion version);
        x.AddPlain([1, .. new ulong[4095]]);
        byte[] answer = SealFormat.WriteCiphertext(x, version);
        using Ciphertext read = SealFormat.ReadCiphertext(answer, rlwe, out _);
        Assert.Equal([21UL, 1, .. new ulong[4094]], Encryption.Decrypt(read, key));
    }

    [Fact]
    public void The_snippet_of_products_and_rotations_holds()
    {
        RlweParameters rlwe = RlweParameters.Create(RingParameters.Standard(8192), 65537, specialModuli: 1);
        using SecretKey key = SecretKey.FromSeed(rlwe, RandomNumberGenerator.GetBytes(32));
        using RelinearizationKey relinearization = RelinearizationKey.Of(key);
        using GaloisKeys rotations = GaloisKeys.Of(key, steps: [1]);
        var slots = new SlotEncoder(rlwe);
        var multiplier = new CiphertextMultiplier(rlwe);
        using SeededCiphertext sent = Encryption.Encrypt(slots.Encode([3, 4, 5]), key);

        using Ciphertext x = sent.Expand(), squares = multiplier.Square(x);
        squares.Relinearize(relinearization);
        using Ciphertext next = squares.Copy();
        next.RotateRows(1, rotations);
        squares.Add(next);
        using PreparedPlaintext weights = PreparedPlaintext.Of(rlwe, slots.Encode([1, 10, 100]));
        squares.MultiplyPlain(weights);
        using Ciphertext small = squares.DropModulus();
        ulong[] numbers = slots.Decode(Encryption.Decrypt(small, key));
        Assert.Equal([25UL, 410, 2500, .. new ulong[8189]], numbers);
    }
}

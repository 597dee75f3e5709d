using System.Security.Cryptography;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Tests.Wire;

/// <summary>Parameters, keys and ciphertexts that are the same in every run.</summary>
internal sealed class WireSample : IDisposable
{
    public const int Rows = 5, RowsPerSet = 2, PerQuery = 2, PerAnswer = 1, Bits = 24;

    private readonly byte[] _seed = SHA256.HashData("sample"u8);

    public WireSample(bool circuitPrivacy = false)
    {
        Parameters = RlweParameters.Create(RingParameters.Create(4096, [45, 45, 16]), 65537, specialModuli: 1);
        Key = SecretKey.FromSeed(Parameters, _seed);
        Specification = Describe(Parameters, circuitPrivacy);
    }

    public RlweParameters Parameters { get; }

    public SecretKey Key { get; }

    public ClientSpecification Specification { get; }

    public static ClientSpecification Describe(RlweParameters parameters, bool circuitPrivacy) => new()
    {
        Model = "sample",
        Digest = Convert.ToHexStringLower(SHA256.HashData("model"u8)),
        Design = ModelDesign.Forest,
        Parameters = new ParameterSpecification
        {
            Degree = parameters.Ring.Degree,
            Primes = [.. parameters.Ring.Basis.Moduli.Select(modulus => modulus.Value)],
            SpecialPrimes = parameters.SpecialModuli,
            PlaintextModulus = parameters.Plaintext.Value,
            SecurityBits = (int)parameters.Ring.Level,
            AnswerBits = Bits,
            CircuitPrivacy = circuitPrivacy,
        },
        Features = [new FeatureSpecification { Name = "x", Step = 1, Maximum = 7 }],
        Layout = new LayoutSpecification { Rows = RowsPerSet, Stride = 32, QueryCiphertexts = PerQuery, AnswerCiphertexts = PerAnswer },
        Output = new OutputSpecification { Link = LinkFunction.Identity, Scales = [1], Offsets = [0] },
        Learns = [],
    };

    /// <summary>Numbers below t that follow from a number.</summary>
    public ulong[] Message(int number) => [.. Enumerable.Range(0, Parameters.Ring.Degree).Select(i => (ulong)((i * 31) + number) % 65537)];

    public ClientQuery Query(PublicKey? publicKey = null, int rows = Rows) =>
        new(rows, [.. Enumerable.Range(0, (rows + RowsPerSet - 1) / RowsPerSet * PerQuery).Select(i => Encryption.Encrypt(Message(i), Key))], publicKey);

    /// <summary>A polynomial that looks uniform and is the same in every run.</summary>
    public RnsPolynomial Uniform(string label)
    {
        var polynomial = new RnsPolynomial(Parameters.Basis, RnsForm.Values);
        using var stream = new SeedExpander(_seed, System.Text.Encoding.ASCII.GetBytes(label));
        Samplers.Uniform(stream, polynomial);
        return polynomial;
    }

    public static void Refused(HomomorphicError error, Action action) => Assert.Equal(error, Assert.Throws<HomomorphicException>(action).Error);

    public void Dispose() => Key.Dispose();
}

using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>
/// Turns what is encrypted under another secret s' into what is encrypted under s, without telling either: for every modulus q_j of ciphertexts a pair
/// (b_j, a_j) over the whole chain with b_j + a_j s = e_j + P s' modulo q_j, and = e_j modulo every other modulus, P the special one. SEAL's layout.
/// </summary>
public sealed class KeySwitchingKey : IDisposable
{
    private readonly RnsPolynomial[] _b, _a;
    private readonly byte[]? _seed;

    /// <summary>Takes over the pairs, values over the whole chain, one for each modulus of ciphertexts.</summary>
    /// <param name="parameters">What they are for.</param>
    /// <param name="b">First parts.</param>
    /// <param name="a">Second parts.</param>
    /// <param name="seed">What <see cref="Expand"/> makes the second parts of, or empty.</param>
    internal KeySwitchingKey(RlweParameters parameters, RnsPolynomial[] b, RnsPolynomial[] a, ReadOnlySpan<byte> seed)
    {
        RequireSpecial(parameters);
        if (b.Length != parameters.Basis.Count || a.Length != b.Length || !b.Concat(a).All(part => part.Form == RnsForm.Values && part.Basis.HasSameModuli(parameters.Ring.Basis)))
            throw new ArgumentException("The pairs are not values over the whole chain, one for each modulus of ciphertexts.", nameof(b));
        (Parameters, _b, _a, _seed) = (parameters, b, a, seed.IsEmpty ? null : seed.ToArray());
    }

    /// <summary>What it is for.</summary>
    public RlweParameters Parameters { get; }

    /// <summary>How many pairs there are: one for each modulus of ciphertexts.</summary>
    public int Count => _b.Length;

    /// <summary>The public seed of the second parts, which halves the size; empty where the key came without one.</summary>
    public ReadOnlySpan<byte> Seed => _seed;

    internal RnsPolynomial B(int index) => _b[index];

    internal RnsPolynomial A(int index) => _a[index];

    /// <summary>Makes the key that leads from another secret to this one.</summary>
    /// <param name="from">s', values over the whole chain.</param>
    /// <param name="secret">s.</param>
    internal static unsafe KeySwitchingKey Of(RnsPolynomial from, SecretKey secret)
    {
        RlweParameters parameters = secret.Parameters;
        RequireSpecial(parameters);
        Span<byte> seed = stackalloc byte[SeedExpander.SeedBytes];
        RandomNumberGenerator.Fill(seed);
        RnsPolynomial[] a = Expand(parameters, seed), b = new RnsPolynomial[a.Length];
        ulong special = parameters.Ring.Basis.Moduli[^1].Value;
        for (int j = 0; j < b.Length; j++)
        {
            b[j] = Encryption.Hide(default, a[j], secret);
            Modulus q = parameters.Basis.Moduli[j];
            nint at = (nint)j * parameters.Ring.Degree;
            ElementWise.Run<Accumulation>(b[j].Pointer + at, from.Pointer + at, q.Balance(special), parameters.Ring.Degree, q, VectorWidths.Best);
        }
        GC.KeepAlive(from);
        return new KeySwitchingKey(parameters, b, a, seed);
    }

    /// <summary>The second parts that a public seed stands for, one after the other from one stream.</summary>
    internal static RnsPolynomial[] Expand(RlweParameters parameters, ReadOnlySpan<byte> seed)
    {
        using var stream = new SeedExpander(seed, Encryption.UniformLabel);
        var parts = new RnsPolynomial[parameters.Basis.Count];
        for (int j = 0; j < parts.Length; j++)
        {
            parts[j] = new RnsPolynomial(parameters.Ring.Basis, RnsForm.Values);
            Samplers.Uniform(stream, parts[j]);
        }
        return parts;
    }

    /// <summary>Zeroes the memory and gives it back.</summary>
    public void Dispose()
    {
        foreach (RnsPolynomial part in _b) part.Dispose();
        foreach (RnsPolynomial part in _a) part.Dispose();
    }

    private static void RequireSpecial(RlweParameters parameters)
    {
        if (parameters.SpecialModuli != 1)
            throw new HomomorphicException(HomomorphicError.NoSpecialModulus, "Keys that relinearise or rotate need a special modulus. Create the parameters with specialModuli: 1.");
    }
}

using System.Numerics;
using System.Runtime.Intrinsics;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>
/// Secure ring parameters with a plaintext modulus t: messages are polynomials modulo t, carried in the upper bits of a ciphertext (BFV).
/// The last modulus may be special: keys are over it, ciphertexts are not. Key switching, so relinearising and rotating, needs it.
/// </summary>
public sealed class RlweParameters
{
    private readonly Lazy<RnsScaling>[] _toPlaintext;
    private readonly double[] _messageScales, _messageFactors; // by moduli less one: Q mod t; i: -t^-1 mod q_i
    private readonly double[] _inversesOfSpecial; // i: P^-1 mod q_i, where there is a special modulus P

    private RlweParameters(RingParameters ring, Modulus plaintext, int specialModuli)
    {
        (Ring, Plaintext, SpecialModuli) = (ring, plaintext, specialModuli);
        Basis = ring.Basis.Slice(..^specialModuli);
        _inversesOfSpecial = [.. Basis.Moduli.Where(_ => specialModuli == 1).Select(q => q.Balance(q.Invert(ring.Basis.Moduli[^1].Value)))];
        _messageScales = [.. Enumerable.Range(1, ring.Basis.Count).Select(count => plaintext.Balance((ulong)(ring.Basis.First(count).Product % plaintext.Value)))];
        _messageFactors = [.. ring.Basis.Moduli.Select(q => -q.Balance(q.Invert(plaintext.Value)))];
        PlaintextBasis = new RnsBasis(ring.Degree, plaintext);
        _toPlaintext = [.. Enumerable.Range(1, Basis.Count).Select(count => new Lazy<RnsScaling>(() => new RnsScaling(Basis.First(count), PlaintextBasis, plaintext.Value)))];
    }

    /// <summary>Degree and whole chain: secret, public and key-switching keys are over it.</summary>
    public RingParameters Ring { get; }

    /// <summary>The chain without the special modulus: fresh ciphertexts are over it.</summary>
    public RnsBasis Basis { get; }

    /// <summary>How many of the chain's last moduli are special: none or one.</summary>
    public int SpecialModuli { get; }

    /// <summary>t.</summary>
    public Modulus Plaintext { get; }

    internal RnsBasis PlaintextBasis { get; }

    /// <summary>Checks a plaintext modulus against a chain.</summary>
    /// <param name="ring">The chain.</param>
    /// <param name="plaintextModulus">t, from 2 to 2^49 - 1, coprime to the chain; a prime that is 1 modulo twice the degree where slots are wanted.</param>
    /// <param name="specialModuli">1 where the chain's last modulus is for keys alone, as in SEAL; key switching adds the least noise where it is the largest.</param>
    /// <exception cref="HomomorphicException">t (<see cref="HomomorphicError.PlaintextModulus"/>) or the number of special moduli (<see cref="HomomorphicError.SpecialModulus"/>) is refused.</exception>
    public static RlweParameters Create(RingParameters ring, ulong plaintextModulus, int specialModuli = 0)
    {
        if (specialModuli is not (0 or 1) || specialModuli == ring.Basis.Count)
            throw new HomomorphicException(HomomorphicError.SpecialModulus, $"A chain of {ring.Basis.Count} moduli cannot have {specialModuli} special ones: use none, or one with at least one more before it.");
        if (plaintextModulus < 2 || plaintextModulus >> NttPrimes.MaximumBits != 0)
            throw new HomomorphicException(HomomorphicError.PlaintextModulus, $"The plaintext modulus {plaintextModulus} is not from 2 to 2^{NttPrimes.MaximumBits} - 1.");
        if (!BigInteger.GreatestCommonDivisor(plaintextModulus, ring.Basis.Product).IsOne)
            throw new HomomorphicException(HomomorphicError.PlaintextModulus, $"The plaintext modulus {plaintextModulus} has a factor in common with the chain.");
        return new RlweParameters(ring, Modulus.OfPlaintext(plaintextModulus), specialModuli);
    }

    /// <summary>The inverse of the special modulus modulo another.</summary>
    internal double InverseOfSpecial(int limb) => _inversesOfSpecial[limb];

    /// <summary>Whether ciphertexts made with the one are ciphertexts of the other.</summary>
    internal bool IsLike(RlweParameters other) =>
        ReferenceEquals(this, other) || (Plaintext.Value == other.Plaintext.Value && SpecialModuli == other.SpecialModuli && Ring.Basis.HasSameModuli(other.Ring.Basis));

    internal RnsScaling ToPlaintext(int moduli) => _toPlaintext[moduli - 1].Value;

    /// <summary>-1 / t modulo a limb's modulus q: times [Q m]_t it is round(Q m / t) modulo q.</summary>
    internal double MessageFactor(int limb) => _messageFactors[limb];

    /// <summary>Adds round(Q m / t), coefficient by coefficient, to a polynomial over the chain's first moduli (product Q), coefficients or values.</summary>
    /// <remarks>round(Q m / t) = (Q m - [Q m]_t) / t, and Q is 0 modulo every limb: so each limb is -[Q m]_t / t, exactly.</remarks>
    internal unsafe void AddMessage(ReadOnlySpan<ulong> message, RnsPolynomial target)
    {
        RnsBasis basis = target.Basis;
        int n = basis.Degree;
        using var scaled = new RnsPolynomial(PlaintextBasis);
        using var lifted = new RnsPolynomial(basis);
        ScaleMessage(message, basis.Count, scaled.Limb(0));
        for (int limb = 0; limb < basis.Count; limb++)
            ElementWise.Run<Multiplication>(lifted.Pointer + (nint)limb * n, scaled.Pointer, MessageFactor(limb), n, basis.Moduli[limb], VectorWidths.Best);
        if (target.Form == RnsForm.Values) lifted.ToValues();
        target.Add(lifted);
    }

    /// <summary>[Q m]_t, balanced, for a ciphertext of some moduli with product Q.</summary>
    internal unsafe void ScaleMessage(ReadOnlySpan<ulong> message, int moduli, Span<double> scaled)
    {
        Center(message, scaled);
        fixed (double* at = scaled) ElementWise.Run<Multiplication>(at, at, _messageScales[moduli - 1], scaled.Length, Plaintext, VectorWidths.Best);
    }

    /// <summary>A message's coefficients, balanced modulo t.</summary>
    internal void Center(ReadOnlySpan<ulong> message, Span<double> coefficients)
    {
        if (message.Length != coefficients.Length) throw new ArgumentException($"The message has {message.Length} coefficients instead of {coefficients.Length}.", nameof(message));
        // No branch on the message. A number below 2^52 under the exponent of 2^52 is the double 2^52 + number.
        Vector512<ulong> outside = default, exponent = Vector512.Create(0x4330UL << 48), t = Vector512.Create(Plaintext.Value);
        Vector512<double> two52 = Vector512.Create(4503599627370496.0), half = Vector512.Create((double)(Plaintext.Value >> 1)), asDouble = Vector512.Create(Plaintext.P);
        for (int i = 0; i < message.Length; i += Vector512<ulong>.Count)
        {
            Vector512<ulong> number = Vector512.Create(message[i..]);
            outside |= Vector512.GreaterThanOrEqual(number, t);
            Vector512<double> value = (number | exponent).AsDouble() - two52;
            (value - (Vector512.GreaterThan(value, half) & asDouble)).CopyTo(coefficients[i..]);
        }
        if (outside != default) throw new ArgumentException($"A coefficient of the message is not below {Plaintext.Value}.", nameof(message));
    }
}

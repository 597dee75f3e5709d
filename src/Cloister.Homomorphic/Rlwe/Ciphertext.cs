using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>
/// Two polynomials (c0, c1), as values, with c0 + c1 s = round(Q m / t) + noise. Nothing in it is authenticated: who receives one cannot tell who made it
/// or whether it was changed, so bind it to its sender and request outside.
/// </summary>
public sealed class Ciphertext : IDisposable
{
    internal Ciphertext(RlweParameters parameters, RnsBasis basis)
    {
        Parameters = parameters;
        C0 = new RnsPolynomial(basis, RnsForm.Values);
        C1 = new RnsPolynomial(basis, RnsForm.Values);
    }

    /// <summary>What it was made with.</summary>
    public RlweParameters Parameters { get; }

    /// <summary>The moduli it still has: the first ones of the chain.</summary>
    public RnsBasis Basis => C0.Basis;

    internal RnsPolynomial C0 { get; }

    internal RnsPolynomial C1 { get; }

    /// <summary>Adds another ciphertext under the same key: the messages add modulo t, the noise adds.</summary>
    public void Add(Ciphertext other)
    {
        RequireLike(other);
        C0.Add(other.C0);
        C1.Add(other.C1);
    }

    /// <summary>Subtracts another ciphertext under the same key.</summary>
    public void Subtract(Ciphertext other)
    {
        RequireLike(other);
        C0.Subtract(other.C0);
        C1.Subtract(other.C1);
    }

    /// <summary>Adds a message in the clear, coefficients below t.</summary>
    public void AddPlain(ReadOnlySpan<ulong> message) => Parameters.AddMessage(message, C0);

    /// <summary>Multiplies by a polynomial in the clear, modulo X^n + 1 and t. The noise grows by at most the sum of the sizes of its balanced coefficients.</summary>
    /// <param name="factor">n coefficients below t.</param>
    /// <exception cref="HomomorphicException">The factor is zero: the product would be readable without the key.</exception>
    public void MultiplyPlain(ReadOnlySpan<ulong> factor)
    {
        if (!factor.ContainsAnyExcept(0UL)) throw new HomomorphicException(HomomorphicError.Transparent, "A ciphertext times zero is zero in the open. Leave the term out, or encrypt a zero.");
        using var small = new RnsPolynomial(Parameters.PlaintextBasis);
        Parameters.Center(factor, small.Limb(0));
        using var lifted = new RnsPolynomial(Basis);
        lifted.SetReduced(small);
        lifted.ToValues();
        C0.Multiply(lifted);
        C1.Multiply(lifted);
    }

    /// <summary>The same message over one modulus less: smaller, with the noise divided by that modulus, and a little of rounding.</summary>
    /// <exception cref="HomomorphicException">There is one modulus left.</exception>
    public Ciphertext DropModulus()
    {
        if (Basis.Count == 1) throw new HomomorphicException(HomomorphicError.NoModulusLeft, "The ciphertext has one modulus left.");
        var division = new RnsDivision(Basis);
        var smaller = new Ciphertext(Parameters, division.Remaining);
        division.Divide(C0, smaller.C0);
        division.Divide(C1, smaller.C1);
        return smaller;
    }

    /// <summary>Zeroes and frees the memory.</summary>
    public void Dispose()
    {
        C0.Dispose();
        C1.Dispose();
    }

    private void RequireLike(Ciphertext other)
    {
        if (!ReferenceEquals(Parameters, other.Parameters) || Basis.Count != other.Basis.Count) throw new ArgumentException("The ciphertexts have different parameters or moduli.", nameof(other));
    }
}

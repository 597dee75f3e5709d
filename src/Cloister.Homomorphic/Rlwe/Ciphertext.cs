using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>
/// Two polynomials (c0, c1), as values, with c0 + c1 s = round(Q m / t) + noise; a product has a third, times s^2, until it is relinearised. Nothing in it is
/// authenticated: who receives one cannot tell who made it or whether it was changed, so bind it to its sender and request outside.
/// </summary>
public sealed class Ciphertext : IDisposable
{
    internal Ciphertext(RlweParameters parameters, RnsBasis basis, int size = 2)
    {
        Parameters = parameters;
        C0 = new RnsPolynomial(basis, RnsForm.Values);
        C1 = new RnsPolynomial(basis, RnsForm.Values);
        if (size == 3) C2 = new RnsPolynomial(basis, RnsForm.Values);
    }

    /// <summary>What it was made with.</summary>
    public RlweParameters Parameters { get; }

    /// <summary>The moduli it still has: the first ones of the chain.</summary>
    public RnsBasis Basis => C0.Basis;

    /// <summary>How many polynomials it has: 2, or 3 for a product that is not relinearised.</summary>
    public int Size => C2 is null ? 2 : 3;

    internal RnsPolynomial C0 { get; }

    internal RnsPolynomial C1 { get; }

    /// <summary>The third part of a product, or null.</summary>
    internal RnsPolynomial? C2 { get; private set; }

    /// <summary>Adds another ciphertext under the same key: the messages add modulo t, the noise adds.</summary>
    /// <exception cref="HomomorphicException">The ciphertexts have other parameters or moduli, or the sum would be readable without the key.</exception>
    public void Add(Ciphertext other)
    {
        RequireLike(other);
        RequireRest(other, 1);
        Combine<Addition>(other);
    }

    /// <summary>Subtracts another ciphertext under the same key.</summary>
    /// <exception cref="HomomorphicException">The ciphertexts have other parameters or moduli, or the difference would be readable without the key.</exception>
    public void Subtract(Ciphertext other)
    {
        RequireLike(other);
        RequireRest(other, -1);
        Combine<Subtraction>(other);
    }

    /// <summary>Changes the sign of the message.</summary>
    public void Negate()
    {
        C0.Negate();
        C1.Negate();
        C2?.Negate();
    }

    /// <summary>Adds a message in the clear, coefficients below t.</summary>
    public void AddPlain(ReadOnlySpan<ulong> message) => Parameters.AddMessage(message, C0);

    /// <summary>Subtracts a message in the clear, coefficients below t.</summary>
    public void SubtractPlain(ReadOnlySpan<ulong> message)
    {
        C0.Negate();
        Parameters.AddMessage(message, C0);
        C0.Negate();
    }

    /// <summary>Multiplies by a polynomial in the clear, modulo X^n + 1 and t. The noise grows by at most the sum of the sizes of its balanced coefficients.</summary>
    /// <param name="factor">n coefficients below t.</param>
    /// <exception cref="HomomorphicException">The factor is zero: the product would be readable without the key.</exception>
    public void MultiplyPlain(ReadOnlySpan<ulong> factor)
    {
        using var prepared = PreparedPlaintext.Of(Parameters, factor, Basis.Count);
        MultiplyPlain(prepared);
    }

    /// <summary>Multiplies by a polynomial that was prepared once: fifty times cheaper where one factor meets many ciphertexts.</summary>
    /// <param name="factor">Made with the same parameters, for at least as many moduli.</param>
    /// <exception cref="HomomorphicException">The factor was made with other parameters.</exception>
    public void MultiplyPlain(PreparedPlaintext factor)
    {
        if (!ReferenceEquals(Parameters, factor.Parameters)) throw new HomomorphicException(HomomorphicError.OtherParameters, "The plaintext was prepared with other parameters than the ciphertext's.");
        C0.Multiply(factor.Values);
        C1.Multiply(factor.Values);
        C2?.Multiply(factor.Values);
    }

    /// <summary>Takes the third part off a product; a ciphertext of two parts stays as it is.</summary>
    /// <param name="key">Of the same secret key.</param>
    /// <exception cref="HomomorphicException">The key was made with other parameters.</exception>
    public void Relinearize(RelinearizationKey key)
    {
        RequireSame(key.Parameters);
        if (C2 is not { } third) return;
        KeySwitching.Apply(third, key.Key, C0, C1, VectorWidths.Best);
        C2 = null;
        third.Dispose();
    }

    /// <summary>Rotates both rows of slots: slot i receives what slot i + steps of its row held. See <see cref="Schemes.SlotEncoder"/>.</summary>
    /// <param name="steps">Between -n/2 and n/2, both excluded.</param>
    /// <param name="keys">Of the same secret key.</param>
    /// <exception cref="HomomorphicException">There is no key for this rotation, the keys were made with other parameters, or the ciphertext is not relinearised.</exception>
    public void RotateRows(int steps, GaloisKeys keys) => Turn(GaloisKeys.Element(Basis.Degree, steps), keys);

    /// <summary>Swaps the two rows of slots.</summary>
    /// <param name="keys">Of the same secret key.</param>
    /// <exception cref="HomomorphicException">There is no key for this, the keys were made with other parameters, or the ciphertext is not relinearised.</exception>
    public void SwapRows(GaloisKeys keys) => Turn(2 * Basis.Degree - 1, keys);

    /// <summary>Replaces X by X^g in the message.</summary>
    /// <param name="element">g, odd and below 2n.</param>
    /// <param name="keys">Of the same secret key.</param>
    /// <exception cref="HomomorphicException">There is no key for g, the keys were made with other parameters, or the ciphertext is not relinearised.</exception>
    public unsafe void Turn(int element, GaloisKeys keys)
    {
        RequireSame(keys.Parameters);
        RequireTwoParts();
        if (element == 1) return;
        (Automorphism map, KeySwitchingKey key) = keys.Find(element);
        using RnsPolynomial turned = RnsPolynomial.Public(Basis, RnsForm.Values);
        map.Apply(C1, turned);
        KeySwitching.Apply(turned.Pointer, Basis.Count, key, map, null, C0, C1, VectorWidths.Best);
    }

    /// <summary>The same message over one modulus less: smaller, with the noise divided by that modulus, and a little of rounding.</summary>
    /// <exception cref="HomomorphicException">There is one modulus left.</exception>
    public Ciphertext DropModulus()
    {
        if (Basis.Count == 1) throw new HomomorphicException(HomomorphicError.NoModulusLeft, "The ciphertext has one modulus left.");
        RnsDivision division = Basis.LastDivision;
        var smaller = new Ciphertext(Parameters, division.Remaining, Size);
        division.Divide(C0, smaller.C0);
        division.Divide(C1, smaller.C1);
        if (C2 is not null) division.Divide(C2, smaller.C2!);
        return smaller;
    }

    /// <summary>Another ciphertext with the same content.</summary>
    public Ciphertext Copy()
    {
        var copy = new Ciphertext(Parameters, Basis, Size);
        copy.C0.CopyFrom(C0);
        copy.C1.CopyFrom(C1);
        if (C2 is not null) copy.C2!.CopyFrom(C2);
        return copy;
    }

    /// <summary>Zeroes the memory and gives it back.</summary>
    public void Dispose()
    {
        C0.Dispose();
        C1.Dispose();
        C2?.Dispose();
    }

    internal void RequireTwoParts()
    {
        if (C2 is not null) throw new HomomorphicException(HomomorphicError.NotRelinearized, "The ciphertext is a product of three parts. Relinearise it first.");
    }

    internal void RequireLike(Ciphertext other)
    {
        RequireSame(other.Parameters);
        if (Basis.Count != other.Basis.Count)
            throw new HomomorphicException(HomomorphicError.OtherModuli, $"One ciphertext has {Basis.Count} moduli, the other {other.Basis.Count}. Drop moduli until they are as many.");
    }

    private void RequireSame(RlweParameters parameters)
    {
        if (!ReferenceEquals(Parameters, parameters)) throw new HomomorphicException(HomomorphicError.OtherParameters, "The ciphertext was made with other parameters.");
    }

    private void Combine<TOperation>(Ciphertext other)
        where TOperation : struct, IElementOperation
    {
        C0.Run<TOperation>(C0, other.C0);
        C1.Run<TOperation>(C1, other.C1);
        if (other.C2 is null) return;
        C2 ??= new RnsPolynomial(Basis, RnsForm.Values);
        C2.Run<TOperation>(C2, other.C2);
    }

    // Where all parts but the first cancel, the first would be the message in the open.
    private void RequireRest(Ciphertext other, double sign)
    {
        if (C1.Cancels(other.C1, sign) && (C2 is null ? other.C2?.Cancels(null, sign) : C2.Cancels(other.C2, sign)) != false)
            throw new HomomorphicException(HomomorphicError.Transparent, "The ciphertexts cancel: what is left would be readable without the key. Leave the terms out, or encrypt a zero.");
    }
}

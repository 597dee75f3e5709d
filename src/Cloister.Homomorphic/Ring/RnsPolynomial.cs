namespace Cloister.Homomorphic.Ring;

/// <summary>What the numbers of a polynomial are.</summary>
public enum RnsForm
{
    /// <summary>Coefficients, from X^0 up.</summary>
    Coefficients,

    /// <summary>Values after the transform, in <see cref="NttOrder.Internal"/> order: products are element-wise.</summary>
    Values,
}

/// <summary>
/// A polynomial modulo X^n + 1 and a product of moduli: for each modulus a limb of n balanced residues, all limbs in one block of aligned memory
/// that is zeroed when the polynomial is disposed of (or collected). Not safe for concurrent changes.
/// </summary>
public sealed unsafe class RnsPolynomial : IDisposable
{
    private AlignedMemory? _memory;

    /// <summary>The zero polynomial.</summary>
    public RnsPolynomial(RnsBasis basis, RnsForm form = RnsForm.Coefficients)
    {
        Basis = basis;
        Form = form;
        _memory = basis.Pool.Rent(checked(basis.Degree * basis.Count));
    }

    private RnsPolynomial(RnsBasis basis, RnsForm form, AlignedMemory memory) => (Basis, Form, _memory, IsPublic) = (basis, form, memory, true);

    /// <summary>The moduli.</summary>
    public RnsBasis Basis { get; }

    /// <summary>Whether it holds nothing but what everybody may know, parts of ciphertexts: then it is not zeroed in the end.</summary>
    internal bool IsPublic { get; }

    /// <summary>Coefficients or values. Setting it relabels and computes nothing.</summary>
    public RnsForm Form { get; set; }

    internal double* Pointer => Memory.Pointer;

    private AlignedMemory Memory => _memory ?? throw new ObjectDisposedException(nameof(RnsPolynomial));

    /// <summary>Whether it is zero modulo one of its primes, as no random polynomial is: what it should hide lies open there.</summary>
    internal bool HasZeroLimb
    {
        get
        {
            for (int limb = 0; limb < Basis.Count; limb++)
                if (!Limb(limb).ContainsAnyExcept(0.0)) return true;
            return false;
        }
    }

    /// <summary>The residues for one modulus, valid while the polynomial is referenced and not disposed of. What is written must be balanced.</summary>
    public Span<double> Limb(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Basis.Count);
        return new(Pointer + (nint)index * Basis.Degree, Basis.Degree);
    }

    /// <summary>Takes over another polynomial's form and numbers. It may have more moduli: the first ones count.</summary>
    public void CopyFrom(RnsPolynomial other)
    {
        if (!Basis.IsStartOf(other.Basis)) throw new ArgumentException("The polynomials have different moduli.", nameof(other));
        Form = other.Form;
        other.Memory.Span[..Memory.Length].CopyTo(Memory.Span);
        GC.KeepAlive(other);
        GC.KeepAlive(this);
    }

    /// <summary>Writes the same small integers into every limb: balanced residues are the integers themselves.</summary>
    /// <param name="coefficients">n integers smaller in size than half of every modulus.</param>
    public void SetSmall(ReadOnlySpan<double> coefficients)
    {
        if (coefficients.Length != Basis.Degree) throw new ArgumentException($"There are {coefficients.Length} coefficients instead of {Basis.Degree}.", nameof(coefficients));
        Form = RnsForm.Coefficients;
        for (int limb = 0; limb < Basis.Count; limb++) coefficients.CopyTo(Limb(limb)); // onto itself too
    }

    /// <summary>Writes the coefficients of another polynomial's one limb into every limb, reduced.</summary>
    internal void SetReduced(RnsPolynomial single)
    {
        Form = RnsForm.Coefficients;
        for (int limb = 0; limb < Basis.Count; limb++)
            ElementWise.Run<Reduction>(Pointer + (nint)limb * Basis.Degree, single.Pointer, 0, Basis.Degree, Basis.Moduli[limb], VectorWidths.Best);
        GC.KeepAlive(single);
        GC.KeepAlive(this);
    }

    /// <summary>Transforms coefficients into values; values stay.</summary>
    public void ToValues()
    {
        for (int limb = 0; Form == RnsForm.Coefficients && limb < Basis.Count; limb++) Basis.Transform(limb).Forward(Limb(limb));
        Form = RnsForm.Values;
    }

    /// <summary>Takes over the coefficients of another polynomial's values; it may have more moduli, the first ones count.</summary>
    internal void CoefficientsOf(RnsPolynomial values)
    {
        if (values.Form != RnsForm.Values || !Basis.IsStartOf(values.Basis) || ReferenceEquals(this, values)) throw new ArgumentException("The other polynomial holds no values, has other moduli, or is this one.", nameof(values));
        for (int limb = 0; limb < Basis.Count; limb++) Basis.Transform(limb).Inverse(values.Pointer + (nint)limb * Basis.Degree, Pointer + (nint)limb * Basis.Degree, VectorWidths.Best);
        Form = RnsForm.Coefficients;
        GC.KeepAlive(values);
        GC.KeepAlive(this);
    }

    /// <summary>Writes the product of two polynomials' values.</summary>
    internal void SetProduct(RnsPolynomial a, RnsPolynomial b)
    {
        Form = RnsForm.Values;
        RequireValues(a);
        Run<Multiplication>(a, b);
    }

    /// <summary>Transforms values into coefficients; coefficients stay.</summary>
    public void ToCoefficients() => ToCoefficients(VectorWidths.Best);

    internal void ToCoefficients(VectorWidth width)
    {
        for (int limb = 0; Form == RnsForm.Values && limb < Basis.Count; limb++) Basis.Transform(limb).Inverse(Limb(limb), NttOrder.Internal, width);
        Form = RnsForm.Coefficients;
    }

    /// <summary>Adds another polynomial of the same form. Here and below the other may have more moduli: the first ones count.</summary>
    public void Add(RnsPolynomial other) => Run<Addition>(this, other);

    /// <summary>Subtracts another polynomial of the same form.</summary>
    public void Subtract(RnsPolynomial other) => Run<Subtraction>(this, other);

    /// <summary>Changes the sign.</summary>
    public void Negate() => Run<Negation>(this, this);

    /// <summary>Multiplies by another polynomial; both are values.</summary>
    public void Multiply(RnsPolynomial other)
    {
        RequireValues(other);
        Run<Multiplication>(this, other);
    }

    /// <summary>Adds the product of two polynomials; all are values.</summary>
    public void AddProduct(RnsPolynomial a, RnsPolynomial b)
    {
        RequireValues(a);
        Run<Accumulation>(a, b);
    }

    /// <summary>Multiplies by an integer.</summary>
    public void Multiply(ulong factor)
    {
        for (int limb = 0; limb < Basis.Count; limb++)
        {
            double* at = Pointer + (nint)limb * Basis.Degree;
            ElementWise.Run<Multiplication>(at, at, Basis.Moduli[limb].Balance(factor), Basis.Degree, Basis.Moduli[limb], VectorWidths.Best);
        }
        GC.KeepAlive(this);
    }

    /// <summary>A polynomial for what everybody may know, with anything in it: every coefficient is written before it is read.</summary>
    internal static RnsPolynomial Public(RnsBasis basis, RnsForm form = RnsForm.Coefficients) => new(basis, form, basis.Pool.RentAny(checked(basis.Degree * basis.Count)));

    /// <summary>Zeroes the memory and gives it back.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _memory, null) is not { } memory) return;
        if (IsPublic) Basis.Pool.ReturnPublic(memory);
        else Basis.Pool.Return(memory);
    }

    // Of a sum or a difference, a is this polynomial; of an accumulation, both are others. These may have more moduli: the first ones count.
    internal void Run<TOperation>(RnsPolynomial a, RnsPolynomial b, VectorWidth? width = null)
        where TOperation : struct, IElementOperation
    {
        RequireLike(a);
        RequireLike(b);
        for (int limb = 0; limb < Basis.Count; limb++)
        {
            nint at = (nint)limb * Basis.Degree;
            ElementWise.Run<TOperation>(Pointer + at, a.Pointer + at, b.Pointer + at, Basis.Degree, Basis.Moduli[limb], width ?? VectorWidths.Best);
        }
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(this);
    }

    /// <summary>Whether the sum with another polynomial times a sign is zero; no other polynomial is a zero.</summary>
    internal bool Cancels(RnsPolynomial? other, double sign)
    {
        for (int limb = 0; limb < Basis.Count; limb++)
        {
            ReadOnlySpan<double> a = Limb(limb), b = other is null ? default : other.Limb(limb);
            for (int i = 0; i < a.Length; i++)
                if (a[i] != (b.IsEmpty ? 0 : -sign * b[i])) return false;
        }
        return true;
    }

    private void RequireLike(RnsPolynomial other)
    {
        if (Form != other.Form) throw new ArgumentException($"One polynomial holds {Form}, the other {other.Form}.", nameof(other));
        if (!Basis.IsStartOf(other.Basis)) throw new ArgumentException("The polynomials have different moduli.", nameof(other));
    }

    private void RequireValues(RnsPolynomial other)
    {
        if (Form != RnsForm.Values || other.Form != RnsForm.Values) throw new ArgumentException("Only values multiply element by element: transform first.", nameof(other));
    }
}

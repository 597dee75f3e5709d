using System.Numerics;

namespace Cloister.Homomorphic.Ring;

/// <summary>The moduli of a residue number system over one degree, coprime in pairs, with what is computed from them once. Immutable and safe to share.</summary>
public sealed class RnsBasis
{
    /// <summary>The most moduli a basis may have.</summary>
    public const int MaximumModuli = 40;

    private readonly Modulus[] _moduli;
    private readonly Lazy<NegacyclicNtt>[] _transforms;
    private readonly Lazy<RnsDivision> _lastDivision;
    private readonly RnsBasis?[] _first; // by count, made when asked for

    /// <summary>Makes a basis of moduli.</summary>
    /// <param name="degree">The number of coefficients of a polynomial, a power of two from 1024 to 32768.</param>
    /// <param name="moduli">1 to 40, coprime in pairs.</param>
    /// <exception cref="HomomorphicException">The degree, the number of moduli or a repeated one is refused.</exception>
    public RnsBasis(int degree, params ReadOnlySpan<Modulus> moduli)
    {
        if (degree is < NegacyclicNtt.MinimumDegree or > NegacyclicNtt.MaximumDegree || !int.IsPow2(degree))
            throw new HomomorphicException(HomomorphicError.DegreeNotSupported, $"The degree {degree} is no power of two from {NegacyclicNtt.MinimumDegree} to {NegacyclicNtt.MaximumDegree}.");
        if (moduli.Length is 0 or > MaximumModuli)
            throw new HomomorphicException(HomomorphicError.ChainLength, $"A basis has 1 to {MaximumModuli} moduli, not {moduli.Length}.");
        Degree = degree;
        _moduli = moduli.ToArray();
        Product = BigInteger.One;
        foreach (Modulus modulus in _moduli)
        {
            if (!BigInteger.GreatestCommonDivisor(Product, modulus.Value).IsOne)
                throw new HomomorphicException(HomomorphicError.ModulusRepeated, $"The modulus {modulus.Value} has a common factor with one before it.");
            Product *= modulus.Value;
        }
        _transforms = [.. _moduli.Select(modulus => new Lazy<NegacyclicNtt>(() => new NegacyclicNtt(degree, modulus)))];
        _first = new RnsBasis?[_moduli.Length];
        _lastDivision = new Lazy<RnsDivision>(() => new RnsDivision(this));
        Pool = new AlignedPool();
    }

    private RnsBasis(RnsBasis whole, Range range)
    {
        Degree = whole.Degree;
        _moduli = whole._moduli[range];
        _transforms = whole._transforms[range];
        _first = new RnsBasis?[_moduli.Length];
        _lastDivision = new Lazy<RnsDivision>(() => new RnsDivision(this));
        Pool = whole.Pool;
        Product = _moduli.Aggregate(BigInteger.One, (product, modulus) => product * modulus.Value);
    }

    /// <summary>The number of coefficients of a polynomial.</summary>
    public int Degree { get; }

    /// <summary>How many moduli there are.</summary>
    public int Count => _moduli.Length;

    /// <summary>The product of the moduli.</summary>
    public BigInteger Product { get; }

    /// <summary>The moduli in order.</summary>
    public IReadOnlyList<Modulus> Moduli => _moduli;

    /// <summary>The transform of a limb; its tables are made on first use.</summary>
    /// <exception cref="HomomorphicException">The modulus has no transform of this degree.</exception>
    public NegacyclicNtt Transform(int limb) => _transforms[limb].Value;

    /// <summary>The basis of some of the moduli in a row; tables are shared.</summary>
    public RnsBasis Slice(Range moduli)
    {
        (_, int count) = moduli.GetOffsetAndLength(Count);
        return count > 0 ? new RnsBasis(this, moduli) : throw new ArgumentOutOfRangeException(nameof(moduli), "A basis has at least one modulus.");
    }

    /// <summary>The division by the last modulus, prepared when asked for.</summary>
    internal RnsDivision LastDivision => _lastDivision.Value;

    /// <summary>Where polynomials over this basis, and over parts of it, have their memory from.</summary>
    internal AlignedPool Pool { get; }

    /// <summary>The basis of the first moduli, always the same object.</summary>
    internal RnsBasis First(int count) => count == Count ? this : Volatile.Read(ref _first[count]) ?? Interlocked.CompareExchange(ref _first[count], Slice(..count), null) ?? _first[count]!;

    internal bool HasSameModuli(RnsBasis other) => Count == other.Count && IsStartOf(other);

    /// <summary>Whether the other basis begins with these moduli.</summary>
    internal bool IsStartOf(RnsBasis other)
    {
        if (ReferenceEquals(this, other)) return true;
        if (Degree != other.Degree || Count > other.Count) return false;
        for (int i = 0; i < _moduli.Length; i++)
            if (_moduli[i].Value != other._moduli[i].Value) return false;
        return true;
    }
}

using System.Numerics;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>
/// Rotates the slots of ciphertexts: for each Galois element g the key that leads from s(X^g) to s. They are public, made by the holder of s. Elements are
/// SEAL's: 3^k modulo 2n moves both rows by k places, 2n - 1 swaps them.
/// </summary>
public sealed class GaloisKeys : IDisposable
{
    private readonly Dictionary<int, (Automorphism Map, KeySwitchingKey Key)> _keys = [];

    /// <summary>Takes over keys by their elements.</summary>
    internal GaloisKeys(RlweParameters parameters, IEnumerable<KeyValuePair<int, KeySwitchingKey>> keys)
    {
        Parameters = parameters;
        foreach ((int element, KeySwitchingKey key) in keys)
        {
            if (!ReferenceEquals(key.Parameters, parameters)) throw new ArgumentException("A key is for other parameters.", nameof(keys));
            _keys.Add(element, (new Automorphism(parameters.Ring.Degree, element), key));
        }
    }

    /// <summary>What they are for.</summary>
    public RlweParameters Parameters { get; }

    /// <summary>The elements that there are keys for, in ascending order.</summary>
    public IReadOnlyList<int> Elements => [.. _keys.Keys.Order()];

    /// <summary>Makes the keys for some rotations. Each call gives others.</summary>
    /// <param name="secret">The secret key.</param>
    /// <param name="steps">By how many places rows are to be rotated, as <see cref="Ciphertext.RotateRows"/> takes them; not 0.</param>
    /// <param name="swapRows">Whether rows are to be swapped, too.</param>
    /// <exception cref="HomomorphicException">The parameters have no special modulus (<see cref="HomomorphicError.NoSpecialModulus"/>).</exception>
    public static GaloisKeys Of(SecretKey secret, IEnumerable<int> steps, bool swapRows = false)
    {
        int degree = secret.Parameters.Ring.Degree;
        IEnumerable<int> elements = steps.Select(step => Element(degree, step));
        return OfElements(secret, swapRows ? elements.Append(2 * degree - 1) : elements);
    }

    /// <summary>Makes the keys for some Galois elements, odd and below 2n.</summary>
    /// <param name="secret">The secret key.</param>
    /// <param name="elements">The elements; one that stands twice counts once, and 1 needs no key.</param>
    /// <exception cref="HomomorphicException">The parameters have no special modulus (<see cref="HomomorphicError.NoSpecialModulus"/>).</exception>
    public static GaloisKeys OfElements(SecretKey secret, IEnumerable<int> elements)
    {
        using var turned = new RnsPolynomial(secret.Values.Basis, RnsForm.Values);
        var keys = new GaloisKeys(secret.Parameters, []);
        foreach (int element in elements.Distinct())
        {
            if (element == 1) continue;
            var map = new Automorphism(secret.Parameters.Ring.Degree, element);
            map.Apply(secret.Values, turned);
            keys._keys.Add(element, (map, KeySwitchingKey.Of(turned, secret)));
        }
        return keys;
    }

    /// <summary>The Galois element that moves both rows by some places: 3^steps modulo 2n.</summary>
    /// <param name="degree">n.</param>
    /// <param name="steps">Between -n/2 and n/2, both excluded; slot i receives what slot i + steps of its row held.</param>
    public static int Element(int degree, int steps)
    {
        int row = degree / 2;
        if (steps <= -row || steps >= row) throw new ArgumentOutOfRangeException(nameof(steps), steps, $"Rows have {row} places.");
        return (int)BigInteger.ModPow(3, (steps + row) % row, 2 * degree);
    }

    /// <summary>Whether there is a key for an element.</summary>
    public bool Contains(int element) => _keys.ContainsKey(element);

    /// <summary>The key of an element.</summary>
    internal KeySwitchingKey Key(int element) => Find(element).Key;

    internal (Automorphism Map, KeySwitchingKey Key) Find(int element) => _keys.TryGetValue(element, out (Automorphism, KeySwitchingKey) found)
        ? found
        : throw new HomomorphicException(HomomorphicError.NoGaloisKey, $"There is no key for the Galois element {element}. Make the Galois keys for this rotation too.");

    /// <summary>Zeroes the memory and gives it back.</summary>
    public void Dispose()
    {
        foreach ((_, KeySwitchingKey key) in _keys.Values) key.Dispose();
    }
}

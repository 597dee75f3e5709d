using System.Numerics;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Schemes;

/// <summary>
/// n numbers modulo t in one message, so that sums and products of messages are those of the numbers, place by place (batching).
/// They lie in two rows of n/2, as in SEAL's batch encoder: number i of the first row is the message at psi^(3^i), of the second at psi^(-3^i),
/// psi the least primitive 2n-th root of unity modulo t.
/// </summary>
public sealed class SlotEncoder
{
    private readonly NegacyclicNtt _transform;
    private readonly int[] _places; // of slot i among the values in bit-reversed order

    /// <summary>Prepares the slots of a plaintext modulus.</summary>
    /// <exception cref="HomomorphicException">t is not a prime that is 1 modulo 2n.</exception>
    public SlotEncoder(RlweParameters parameters)
    {
        int n = parameters.Ring.Degree, log = BitOperations.Log2((uint)n);
        _transform = new NegacyclicNtt(n, parameters.Plaintext);
        _places = new int[n];
        for (int i = 0, power = 1; i < n / 2; i++, power = power * 3 & (2 * n - 1))
        {
            _places[i] = NttTables.Reverse((power - 1) / 2, log);
            _places[i + n / 2] = NttTables.Reverse((2 * n - power - 1) / 2, log);
        }
    }

    /// <summary>How many numbers a message holds: n.</summary>
    public int Count => _places.Length;

    /// <summary>The message that holds the numbers.</summary>
    /// <param name="numbers">At most n, below t; the rest is zero.</param>
    public ulong[] Encode(ReadOnlySpan<ulong> numbers)
    {
        if (numbers.Length > Count) throw new ArgumentException($"There are {numbers.Length} numbers for {Count} slots.", nameof(numbers));
        Modulus t = _transform.Modulus;
        if (numbers.ContainsAnyExceptInRange(0UL, t.Value - 1)) throw new ArgumentException($"A number is not below {t.Value}.", nameof(numbers));
        using var values = new RnsPolynomial(new RnsBasis(Count, t));
        Span<double> at = values.Limb(0);
        for (int i = 0; i < numbers.Length; i++) at[_places[i]] = t.BalanceReduced(numbers[i]);
        _transform.Inverse(at, NttOrder.BitReversed);
        var message = new ulong[Count];
        for (int i = 0; i < message.Length; i++) message[i] = t.Unbalance(at[i]);
        return message;
    }

    /// <summary>The numbers that a message holds.</summary>
    /// <param name="message">n coefficients below t.</param>
    public ulong[] Decode(ReadOnlySpan<ulong> message)
    {
        if (message.Length != Count) throw new ArgumentException($"The message has {message.Length} coefficients instead of {Count}.", nameof(message));
        Modulus t = _transform.Modulus;
        if (message.ContainsAnyExceptInRange(0UL, t.Value - 1)) throw new ArgumentException($"A coefficient is not below {t.Value}.", nameof(message));
        using var values = new RnsPolynomial(new RnsBasis(Count, t));
        Span<double> at = values.Limb(0);
        for (int i = 0; i < message.Length; i++) at[i] = t.BalanceReduced(message[i]);
        _transform.Forward(at, NttOrder.BitReversed);
        var numbers = new ulong[Count];
        for (int i = 0; i < numbers.Length; i++) numbers[i] = t.Unbalance(at[_places[i]]);
        return numbers;
    }
}

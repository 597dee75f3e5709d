using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>
/// Decrypts compact ciphertexts: round(t (c0 + c1 s) / 2^bits) at the carried coefficients. Modulo a power of two there is no transform, so c1 s is
/// computed over the integers, modulo the chain's first prime q, where it is exact while it stays below q/2.
/// </summary>
/// <remarks>
/// c1 is cut into digits of k bits, balanced, of at most 2^(k-1) in size; a coefficient of a digit times s is a sum of n such numbers, each times -1, 0 or
/// 1: at most n 2^(k-1) &lt;= 2^(size of q - 2) &lt; q/2. With q of 49 bits and n = 2048, k is 37, and answers of up to 37 bits take one digit.
/// </remarks>
internal static class CompactDecryption
{
    internal static ulong[] Decrypt(CompactCiphertext ciphertext, SecretKey key)
    {
        RlweParameters parameters = key.Parameters;
        int n = parameters.Ring.Degree;
        if (ciphertext.C1.Length != n) throw new ArgumentException($"The ciphertext has {ciphertext.C1.Length} coefficients instead of {n}.", nameof(ciphertext));
        RnsBasis basis = parameters.Ring.Basis.Slice(..1);
        int digitBits = 64 - BitOperations.LeadingZeroCount(basis.Moduli[0].Value) - 1 - BitOperations.Log2((uint)n);
        int digits = (ciphertext.Bits + digitBits - 1) / digitBits;
        ulong[] phase = [.. ciphertext.C0], rest = [.. ciphertext.C1];
        using var secret = new RnsPolynomial(basis);
        using var product = new RnsPolynomial(basis);
        secret.CopyFrom(key.Values);
        for (int digit = 0; digit < digits; digit++)
        {
            TakeDigit(rest, digit == digits - 1 ? Math.Min(digitBits, ciphertext.Bits - digit * digitBits) : digitBits, product.Limb(0));
            product.Form = RnsForm.Coefficients;
            product.ToValues();
            product.Multiply(secret);
            product.ToCoefficients();
            ReadOnlySpan<double> coefficients = product.Limb(0);
            for (int i = 0; i < phase.Length; i++) phase[i] += (ulong)(long)coefficients[ciphertext.First + i * ciphertext.Step] << (digit * digitBits);
        }
        ulong t = parameters.Plaintext.Value, mask = (1UL << ciphertext.Bits) - 1, half = 1UL << (ciphertext.Bits - 1);
        var message = new ulong[phase.Length];
        for (int i = 0; i < phase.Length; i++)
        {
            // At most t: what rounds up to t is zero. No branch on the message.
            ulong rounded = (ulong)((UInt128)(phase[i] & mask) * t + half >> ciphertext.Bits);
            message[i] = rounded & 0 - (rounded - t >> 63);
        }
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(phase.AsSpan()));
        return message;
    }

    // The lowest bits as a balanced number; what it is more or less than them goes into the rest.
    private static void TakeDigit(Span<ulong> rest, int bits, Span<double> digit)
    {
        ulong mask = (1UL << bits) - 1, half = 1UL << (bits - 1);
        for (int i = 0; i < rest.Length; i++)
        {
            ulong carry = rest[i] + half & ~mask;
            digit[i] = (long)(rest[i] - carry);
            rest[i] = carry >> bits;
        }
    }
}

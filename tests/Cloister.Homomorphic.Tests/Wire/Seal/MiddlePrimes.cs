using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Wire.Seal;

namespace Cloister.Homomorphic.Tests.Wire.Seal;

/// <summary>Primes that leave much of 2^64 as a rest, so that words of a stream are drawn again, which those close below a power of two hardly ever ask for.</summary>
internal static class MiddlePrimes
{
    /// <summary>The largest primes below three quarters of 2^bits that are 1 modulo the step.</summary>
    internal static ulong[] Below(int bits, ulong step, int count)
    {
        var primes = new ulong[count];
        ulong candidate = (3UL << (bits - 2)) / step * step + 1;
        for (int found = 0; found < count; candidate -= step)
            if (NttPrimes.IsPrime(candidate)) primes[found++] = candidate;
        return primes;
    }

    /// <summary>How many words of a seed are drawn again, those that take their places not counted.</summary>
    internal static int Redrawn(RnsBasis basis, SealGenerator generator, byte[] seed)
    {
        int blocks = basis.Degree / 512, redrawn = 0;
        byte[] block = new byte[4096];
        for (int i = 0; i < blocks * basis.Count; i++)
        {
            byte[] counter = BitConverter.GetBytes((ulong)i);
            if (generator == SealGenerator.Blake2Xb) Blake2Xb.Hash(counter, seed, block);
            else Shake256.HashData([.. seed, .. counter], block);
            ulong q = basis.Moduli[i / blocks].Value;
            for (int at = 0; at < block.Length; at += 8) redrawn += BitConverter.ToUInt64(block, at) >= ulong.MaxValue - ulong.MaxValue % q - 1 ? 1 : 0;
        }
        return redrawn;
    }
}

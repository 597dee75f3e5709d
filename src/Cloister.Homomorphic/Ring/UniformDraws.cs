using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Cloister.Homomorphic.Ring;

/// <summary>Uniform integers below small bounds from a stream, without bias. Not safe for concurrent use.</summary>
internal sealed class UniformDraws(SeedExpander stream) : IDisposable
{
    private readonly uint[] _words = GC.AllocateArray<uint>(1024, pinned: true);
    private int _used = 1024;

    /// <summary>A number below a bound.</summary>
    /// <remarks>Lemire, ACM TOMACS 29 (2019): the upper half of word times bound, drawn again where the lower half is among the 2^32 mod bound too many. What is drawn again says nothing about what is kept.</remarks>
    internal uint Below(uint bound)
    {
        ulong product = (ulong)Next() * bound;
        if ((uint)product < bound)
        {
            uint tooMany = (0 - bound) % bound;
            while ((uint)product < tooMany) product = (ulong)Next() * bound;
        }
        return (uint)(product >> 32);
    }

    /// <summary>Puts numbers in a random order, all orders alike (Fisher and Yates).</summary>
    internal void Shuffle(Span<int> numbers)
    {
        for (int i = numbers.Length - 1; i > 0; i--)
        {
            int j = (int)Below((uint)i + 1);
            (numbers[i], numbers[j]) = (numbers[j], numbers[i]);
        }
    }

    /// <summary>Zeroes what was not used.</summary>
    public void Dispose() => CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_words.AsSpan()));

    private uint Next()
    {
        if (_used == _words.Length)
        {
            stream.Fill(MemoryMarshal.AsBytes(_words.AsSpan()));
            _used = 0;
        }
        return _words[_used++];
    }
}

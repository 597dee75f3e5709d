namespace Cloister.Homomorphic.Ring;

/// <summary>
/// Keeps some memory of polynomials for the next ones, zeroed: large blocks are otherwise mapped anew by the system, page by page, each time.
/// It belongs to a basis and ends with it. Safe for concurrent use.
/// </summary>
internal sealed class AlignedPool
{
    private const int Places = 32;

    private readonly AlignedMemory?[] _kept = new AlignedMemory?[Places];

    /// <summary>Zeroed memory for that many doubles.</summary>
    internal AlignedMemory Rent(int length)
    {
        AlignedMemory memory = RentAny(length);
        if (!memory.IsZero) memory.Zero();
        memory.IsZero = false;
        return memory;
    }

    /// <summary>Memory for that many doubles, with anything public in it.</summary>
    internal AlignedMemory RentAny(int length)
    {
        for (int i = 0; i < Places; i++)
        {
            AlignedMemory? memory = Volatile.Read(ref _kept[i]);
            if (memory is not null && memory.Length == length && Interlocked.CompareExchange(ref _kept[i], null, memory) == memory) return memory;
        }
        return new AlignedMemory(length);
    }

    /// <summary>Zeroes memory and keeps it, or frees it where enough is kept.</summary>
    internal void Return(AlignedMemory memory)
    {
        memory.Zero();
        memory.IsZero = true;
        Keep(memory);
    }

    /// <summary>Keeps memory that held nothing but what everybody may know - parts of ciphertexts, sums of public keys - as it is.</summary>
    internal void ReturnPublic(AlignedMemory memory)
    {
        memory.IsZero = false;
        Keep(memory);
    }

    private void Keep(AlignedMemory memory)
    {
        for (int i = 0; i < Places; i++)
            if (Volatile.Read(ref _kept[i]) is null && Interlocked.CompareExchange(ref _kept[i], memory, null) is null) return;
        memory.Dispose();
    }
}

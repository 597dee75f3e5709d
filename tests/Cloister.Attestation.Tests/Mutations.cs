namespace Cloister.Tests;

/// <summary>Seeded, bounded changes of valid input: bits flipped, bytes cut, repeated, inserted, lengths overwritten.</summary>
internal static class Mutations
{
    public static IEnumerable<byte[]> Of(byte[] valid, int count, int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            var bytes = new List<byte>(valid);
            for (int change = random.Next(1, 4); change > 0; change--)
                Change(bytes, random);
            yield return [.. bytes];
        }
    }

    /// <summary>Gives a fuzz target the input and mutations of it; none may make it throw or allocate over 64 KiB + 4x its input.</summary>
    public static void Bounded(byte[] valid, FuzzTarget target, int count, int seed = 7)
    {
        target(valid);
        foreach (byte[] bytes in Of(valid, count, seed))
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            target(bytes);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024 + 4 * bytes.Length);
        }
    }

    private static void Change(List<byte> bytes, Random random)
    {
        int at = bytes.Count == 0 ? 0 : random.Next(bytes.Count), length = Math.Min(random.Next(1, 9), bytes.Count - at);
        switch (random.Next(5))
        {
            case 0 when bytes.Count > 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            case 1: bytes.RemoveRange(at, length); break;
            case 2: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
            case 3: bytes.InsertRange(at, [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => (byte)random.Next(256))]); break;
            default:
                for (int i = at; i < at + length; i++)
                    bytes[i] = random.Next(3) switch { 0 => 0, 1 => 0xFF, _ => (byte)random.Next(256) };
                break;
        }
    }
}

/// <summary>A parser's fuzz target.</summary>
internal delegate void FuzzTarget(ReadOnlySpan<byte> bytes);

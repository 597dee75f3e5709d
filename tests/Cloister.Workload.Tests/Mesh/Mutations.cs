namespace Cloister.Tests.Mesh;

/// <summary>Seeded, bounded mutations of valid input, for fuzz targets.</summary>
internal static class Mutations
{
    /// <summary>Drives a target over valid inputs, their prefixes and <paramref name="rounds"/> mutations of each.</summary>
    public static void Drive(Action<ReadOnlyMemory<byte>> target, int rounds, params ReadOnlySpan<byte[]> valid)
    {
        var random = new Random(20250);
        foreach (byte[] original in valid)
        {
            target(original);
            for (int length = 0; length < original.Length; length += 1 + original.Length / 100)
                target(original.AsMemory(0, length));
            for (int round = 0; round < rounds; round++)
                target(Mutate([.. original], random));
        }
    }

    private static byte[] Mutate(byte[] bytes, Random random)
    {
        for (int edits = random.Next(1, 6); edits > 0 && bytes.Length > 0; edits--)
        {
            int at = random.Next(bytes.Length);
            bytes = random.Next(5) switch
            {
                0 => [.. bytes[..at], .. bytes[(at + 1)..]],
                1 => [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]],
                2 => [.. bytes[..at], .. bytes[..random.Next(bytes.Length)], .. bytes[at..]],
                _ => Set(bytes, at, (byte)(random.Next(2) == 0 ? bytes[at] ^ (1 << random.Next(8)) : random.Next(256))),
            };
            if (bytes.Length > 64 << 10)
                bytes = bytes[..(64 << 10)];
        }
        return bytes;
    }

    private static byte[] Set(byte[] bytes, int at, byte value)
    {
        bytes[at] = value;
        return bytes;
    }
}

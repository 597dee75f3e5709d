namespace Cloister.Sealing.Tests;

/// <summary>Seeded, bounded changes to valid input: the same on every machine and every run.</summary>
internal static class Mutations
{
    public static IEnumerable<byte[]> Of(byte[] valid, int seed, int count)
    {
        var random = new Random(seed);
        yield return [];
        for (int i = 0; i < count; i++)
        {
            var bytes = new List<byte>(valid);
            for (int edits = random.Next(1, 5); edits > 0; edits--)
                Edit(bytes, random);
            yield return [.. bytes];
        }
    }

    private static void Edit(List<byte> bytes, Random random)
    {
        int at = bytes.Count == 0 ? 0 : random.Next(bytes.Count);
        int length = Math.Min(random.Next(1, 9), bytes.Count - at);
        switch (bytes.Count == 0 ? 3 : random.Next(6))
        {
            case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            case 1: bytes[at] = random.Next(3) switch { 0 => 0, 1 => 0xff, _ => (byte)random.Next(256) }; break;
            case 2: bytes.RemoveRange(at, length); break;
            case 3: bytes.InsertRange(at, Enumerable.Range(0, random.Next(1, 9)).Select(_ => (byte)random.Next(256))); break;
            case 4: bytes.RemoveRange(at, bytes.Count - at); break;
            default: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
        }
    }
}

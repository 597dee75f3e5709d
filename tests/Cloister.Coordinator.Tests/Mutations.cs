namespace Cloister.Coordinator.Tests;

/// <summary>Drives a fuzz target with seeded, bounded changes of valid input.</summary>
internal static class Mutations
{
    public delegate void Target(ReadOnlySpan<byte> bytes);

    public static void Drive(byte[] valid, Target target, int rounds = 3000)
    {
        target(valid);
        target([]);
        for (int seed = 0; seed < rounds; seed++)
        {
            var random = new Random(seed);
            List<byte> bytes = [.. valid];
            for (int change = random.Next(1, 5); change > 0 && bytes.Count > 0; change--)
            {
                int at = random.Next(bytes.Count);
                switch (random.Next(6))
                {
                    case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                    case 1: bytes[at] = (byte)random.Next(256); break;
                    case 2: bytes.RemoveRange(at, Math.Min(random.Next(1, 9), bytes.Count - at)); break;
                    case 3: bytes.Insert(at, (byte)random.Next(256)); break;
                    case 4: bytes.RemoveRange(at, bytes.Count - at); break;
                    default: bytes[at] = random.Next(2) == 0 ? (byte)0 : (byte)255; break;
                }
            }
            try
            {
                target([.. bytes]);
            }
            catch (Exception error)
            {
                Assert.Fail($"seed {seed}: {error}");
            }
        }
    }
}

namespace Cloister.Homomorphic.Tests.Wire;

internal delegate void FuzzTarget(ReadOnlySpan<byte> bytes);

/// <summary>Seeded, bounded changes of valid bytes: flipped bits, numbers at their edges, cuts, insertions and doubled parts.</summary>
internal static class Mutation
{
    public static void Drive(byte[] valid, FuzzTarget target, int rounds = 1500)
    {
        target(valid);
        target(default);
        var random = new Random(6);
        for (int round = 0; round < rounds; round++)
        {
            byte[] changed = Mutate(valid, random);
            try
            {
                target(changed);
            }
            catch (Exception e)
            {
                throw new Xunit.Sdk.XunitException($"Round {round}, {Convert.ToHexStringLower(changed.AsSpan(0, Math.Min(200, changed.Length)))}...: {e}");
            }
        }
    }

    private static byte[] Mutate(byte[] valid, Random random)
    {
        byte[] bytes = [.. valid];
        for (int change = random.Next(1, 4); change > 0; change--)
        {
            // Headers are where decisions are made: half of the changes go there.
            int at = random.Next(random.Next(2) == 0 ? Math.Min(bytes.Length, 160) : bytes.Length);
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes.AsSpan(at, Math.Min(4, bytes.Length - at)).Fill((byte)(random.Next(2) * 255)); break;
                case 3: bytes = bytes[..Math.Max(1, at)]; break;
                case 4: bytes = [.. bytes[..at], .. new byte[random.Next(1, 20)], .. bytes[at..]]; break;
                default: bytes = [.. bytes[..at], .. bytes[Math.Max(0, at - 40)..]]; break;
            }
        }
        return bytes;
    }
}

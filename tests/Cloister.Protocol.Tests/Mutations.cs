namespace Cloister.Protocol.Tests;

/// <summary>Seeded, bounded mutations of valid input for fuzz targets.</summary>
internal static class Mutations
{
    /// <summary>Runs a target over <paramref name="count"/> mutations of each input; a failure names its seed.</summary>
    public static void Drive(Action<byte[]> target, int count, params byte[][] inputs)
    {
        foreach (byte[] input in inputs) target(input);
        for (int seed = 1; seed <= count; seed++)
        {
            byte[] mutated = Mutate(new Random(seed), inputs);
            try
            {
                target(mutated);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"seed {seed}: {Convert.ToBase64String(mutated)}", error);
            }
        }
    }

    private static byte[] Mutate(Random random, byte[][] inputs)
    {
        List<byte> bytes = [.. inputs[random.Next(inputs.Length)]];
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            int at = random.Next(bytes.Count + 1);
            switch (random.Next(6))
            {
                case 0 when at < bytes.Count: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1 when at < bytes.Count: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes.Insert(at, (byte)"{}[]\",:\\.0-9ntf\0 "[random.Next(17)]); break;
                case 3: bytes.RemoveRange(at, Math.Min(random.Next(8), bytes.Count - at)); break;
                case 4:
                    byte[] other = inputs[random.Next(inputs.Length)];
                    int from = random.Next(other.Length + 1);
                    bytes.InsertRange(at, other.AsSpan(from, Math.Min(random.Next(64), other.Length - from)).ToArray());
                    break;
                default: bytes.RemoveRange(at, bytes.Count - at); break;
            }
        }
        return [.. bytes];
    }
}

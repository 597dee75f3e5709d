using System.Text;
using System.Text.Json.Nodes;

namespace Cloister.Coordinator.Tests.Hostile;

/// <summary>Seeded changes of a valid body: of its members and values, or of its bytes.</summary>
internal static class JsonMutation
{
    private static readonly string[] s_values =
    [
        "null", "true", "0", "-1", "1.5", "1e400", "18446744073709551616", "\"\"", "\"AAAA\"", "\"not base64!\"", "\"\\u0000\\ud800\"", "[]", "{}", "[[[[[[[[[[]]]]]]]]]]",
        "{\"a\":{\"a\":{\"a\":{}}}}", "\"../../etc/passwd\"", "[null]", "[255,256,-1]",
    ];

    private const string Placeholder = "placeholder";

    public static byte[] Of(string valid, Random random)
    {
        switch (random.Next(10))
        {
            case 0: return Encoding.UTF8.GetBytes(valid);
            case 1: return [];
            case 2: return Encoding.UTF8.GetBytes(s_values[random.Next(s_values.Length)]);
            case 3: return Encoding.UTF8.GetBytes(new string('[', random.Next(1, 3000)));
            case 4 or 5: return Bytes(Encoding.UTF8.GetBytes(valid), random);
            case 6: return Encoding.UTF8.GetBytes(valid.Replace("{", "{\"extra\":1,", StringComparison.Ordinal));
            case 7: return Encoding.UTF8.GetBytes(valid.Length < 3 ? valid : valid.Insert(1, valid[1..^1] + ","));
            default: return Encoding.UTF8.GetBytes(Values(valid, random));
        }
    }

    private static byte[] Bytes(byte[] valid, Random random)
    {
        List<byte> bytes = [.. valid];
        for (int change = random.Next(1, 5); change > 0 && bytes.Count > 0; change--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.RemoveRange(at, Math.Min(random.Next(1, 9), bytes.Count - at)); break;
                case 2: bytes.Insert(at, (byte)random.Next(256)); break;
                default: bytes.RemoveRange(at, bytes.Count - at); break;
            }
        }
        return [.. bytes];
    }

    private static string Values(string valid, Random random)
    {
        if (JsonNode.Parse(valid) is not JsonObject { Count: > 0 } root)
            return valid;
        JsonObject parent = root;
        while (true)
        {
            string name = parent.ElementAt(random.Next(parent.Count)).Key;
            if (parent[name] is JsonObject { Count: > 0 } inner && random.Next(3) > 0)
            {
                parent = inner;
                continue;
            }
            if (random.Next(4) == 0)
                parent.Remove(name);
            else if (random.Next(4) == 0)
                parent[name.ToUpperInvariant()] = parent[name]?.DeepClone();
            else
                parent[name] = Placeholder;
            return root.ToJsonString().Replace($"\"{Placeholder}\"", s_values[random.Next(s_values.Length)], StringComparison.Ordinal);
        }
    }
}

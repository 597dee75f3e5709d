using System.Text.Json.Nodes;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire.Seal;

namespace Cloister.Homomorphic.Tests.Wire.Seal;

/// <summary>A chain that both sides are tried with.</summary>
public sealed record SealChain(string Name, int Degree, int[] Bits, ulong T)
{
    public static SealChain Linear { get; } = new("linear", 2048, [49], 1UL << 26);

    public static SealChain Forest { get; } = new("forest", 4096, [45, 45, 16], 65537);

    public static SealChain Small { get; } = new("small", 4096, [35, 35, 36], 65537);

    public static SealChain Slots { get; } = new("slots", 8192, [43, 43, 43, 43, 42], 65537);

    public static TheoryData<string> All => [.. Every.Select(chain => chain.Name)];

    private static SealChain[] Every => [Linear, Forest, Small, Slots];

    public static SealChain Of(string name) => Every.Single(chain => chain.Name == name);

    public RlweParameters Parameters() => RlweParameters.Create(RingParameters.Create(Degree, Bits), T, Bits.Length > 1 ? 1 : 0);

    /// <summary>A message with all edges in it.</summary>
    public ulong[] Message(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Degree).Select(i => i switch { 0 => T - 1, 1 => T / 2, 2 => T / 2 + 1, 3 => 0UL, _ => (ulong)random.NextInt64((long)T) })];
    }

    public override string ToString() => Name;

    internal JsonObject Request() => new() { ["name"] = Name };

    internal JsonObject Description() => new() { ["name"] = Name, ["degree"] = Degree, ["bits"] = new JsonArray([.. Bits.Select(bits => JsonValue.Create(bits))]), ["t"] = T.ToString() };

    internal static SealCompression Compression(string name) => name == "zlib" ? SealCompression.Zlib : SealCompression.None;
}

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Cloister.Homomorphic.Models;

/// <summary>The secret half of a compiled linear model: integer weights, score after score, and integer intercepts. Zeroed when disposed of.</summary>
internal sealed class LinearWeights(int features, int[] weights, long[] intercepts) : IDisposable
{
    /// <summary>No weight is larger in size.</summary>
    internal const int MaximumWeight = 1 << 30;

    internal int Scores => intercepts.Length;

    internal ReadOnlySpan<int> Of(int score) => weights.AsSpan(score * features, features);

    internal long Intercept(int score) => intercepts[score];

    /// <summary>The sum of the sizes of all weights.</summary>
    internal long Total => weights.Sum(weight => Math.Abs((long)weight));

    internal byte[] ToBytes()
    {
        var bytes = new byte[weights.Length * sizeof(int) + intercepts.Length * sizeof(long)];
        for (int i = 0; i < weights.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i * sizeof(int)), weights[i]);
        for (int k = 0; k < intercepts.Length; k++) BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(weights.Length * sizeof(int) + k * sizeof(long)), intercepts[k]);
        return bytes;
    }

    /// <exception cref="HomomorphicException">The length or a weight is refused.</exception>
    internal static LinearWeights Read(ReadOnlySpan<byte> bytes, int features, int scores)
    {
        long expected = (long)features * scores * sizeof(int) + (long)scores * sizeof(long);
        if (bytes.Length != expected) throw CompiledModelFile.Refuse($"the weights of {features} features and {scores} scores are {expected} bytes, not {bytes.Length}");
        var weights = new int[features * scores];
        var intercepts = new long[scores];
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(i * sizeof(int))..]);
            if (weights[i] is < -MaximumWeight or > MaximumWeight) throw CompiledModelFile.Refuse("a weight is too large");
        }
        for (int k = 0; k < scores; k++)
        {
            intercepts[k] = BinaryPrimitives.ReadInt64LittleEndian(bytes[(weights.Length * sizeof(int) + k * sizeof(long))..]);
            if (intercepts[k] is < -(1L << 48) or > 1L << 48) throw CompiledModelFile.Refuse("an intercept is too large");
        }
        return new LinearWeights(features, weights, intercepts);
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(weights.AsSpan()));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(intercepts.AsSpan()));
    }
}

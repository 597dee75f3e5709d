using System.Text.Json;
using Cloister.Tests;

namespace Cloister.Homomorphic.Import.Tests;

/// <summary>The rows and probabilities of the dermatology model; null is an absent feature.</summary>
internal static class Dermatology
{
    public static (double[][] Rows, float[][] Probabilities, int[] Labels) Read()
    {
        using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(TestData.Path("models/tabular/xgb-dermatology.expected.json")));
        return (
            [.. file.RootElement.GetProperty("x").EnumerateArray().Select(row =>
                row.EnumerateArray().Select(x => x.ValueKind == JsonValueKind.Null ? double.NaN : x.GetDouble()).ToArray())],
            [.. file.RootElement.GetProperty("prob").EnumerateArray().Select(row => row.EnumerateArray().Select(x => x.GetSingle()).ToArray())],
            [.. file.RootElement.GetProperty("label").EnumerateArray().Select(x => x.GetInt32())]);
    }
}

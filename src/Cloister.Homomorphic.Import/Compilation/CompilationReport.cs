using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import;

/// <summary>What came of a compilation, for the model's owner to judge before the model is given away.</summary>
public sealed record CompilationReport
{
    /// <summary>What clients are told: design, parameters, layout, and what they learn.</summary>
    public required ClientSpecification Client { get; init; }

    /// <summary>How the model is computed and why so, in sentences.</summary>
    public required IReadOnlyList<string> Choices { get; init; }

    /// <summary>Both models on the calibration rows.</summary>
    public required ModelAccuracy Calibration { get; init; }

    /// <summary>Both models on rows that were not calibrated on; null where none were held out.</summary>
    public ModelAccuracy? HoldOut { get; init; }

    /// <summary>Bytes and times of a query.</summary>
    public required ModelCost Cost { get; init; }

    internal static IReadOnlyList<string> Explain(PlainModel model, ClientSpecification client, CompilationOptions options)
    {
        ParameterSpecification parameters = client.Parameters;
        LayoutSpecification layout = client.Layout;
        string ring = $"n = {parameters.Degree}, modulus of {Bits(parameters)} bits ({string.Join(" + ", parameters.Primes.Select(prime => $"{64 - System.Numerics.BitOperations.LeadingZeroCount(prime)}"))}), plaintext modulus {parameters.PlaintextModulus}: inside the tables of ePrint 2024/463 for {parameters.SecurityBits} bits.";
        return client.Design == ModelDesign.Linear
            ?
            [
                $"Linear design: {model.Scores} weighted sum{(model.Scores == 1 ? "" : "s")} of {client.Features.Count} features are one product of polynomials; {layout.Rows} row{(layout.Rows == 1 ? "" : "s")} fit {Count(layout.QueryCiphertexts, "ciphertext")}, and no evaluation keys are needed.",
                ring,
                $"Features are rounded to {client.Features.Min(feature => feature.Maximum - feature.Minimum + 1)} integers each. The sums cannot exceed the plaintext modulus, nor the noise what decrypts: decryption never fails.",
                parameters.CircuitPrivacy ? "Answers are encrypted anew and flooded with noise." : "Answers are not flooded: a single one tells its receiver the rounded weights. Circuit privacy hides them from whoever sees no other answer.",
            ]
            :
            [
                $"Forest design: {model.Scores} score{(model.Scores == 1 ? "" : "s")}, {layout.Trees.Sum()} trees; every feature arrives as one of {layout.Levels} levels, {layout.FeaturesPerCiphertext} features to a ciphertext, {Count(layout.QueryCiphertexts, "ciphertext")} a row; {Count(layout.AnswerCiphertexts, "ciphertext")} come back, and no evaluation keys are needed.",
                ring,
                $"{layout.Levels} levels, {(options.Levels is null ? "the fewest at which at most a thousandth of the decisions, or of a regression's variance, is lost on the table" : "as asked")}; cut {(options.ExactThresholds ? "at the model's thresholds" : "by the table's values")}.",
                "Answers are masked, permuted, encrypted anew and flooded with noise: the client learns the final score alone.",
            ];
    }

    private static int Bits(ParameterSpecification parameters) =>
        (int)Math.Ceiling(parameters.Primes.Sum(prime => Math.Log2(prime)));

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";
}

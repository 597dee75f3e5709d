using System.Text.Json.Nodes;

namespace Cloister.Homomorphic.Import;

/// <summary>A report as a program reads it. Times are in microseconds.</summary>
public static class CompilationJson
{
    /// <summary>One object.</summary>
    public static JsonObject Of(CompilationReport report) => new()
    {
        ["model"] = report.Client.Model,
        ["digest"] = report.Client.Digest,
        ["design"] = report.Client.Design.ToString(),
        ["degree"] = report.Client.Parameters.Degree,
        ["securityBits"] = report.Client.Parameters.SecurityBits,
        ["plaintextModulus"] = report.Client.Parameters.PlaintextModulus,
        ["circuitPrivacy"] = report.Client.Parameters.CircuitPrivacy,
        ["levels"] = report.Client.Layout.Levels,
        ["choices"] = Texts(report.Choices),
        ["calibration"] = Of(report.Calibration),
        ["heldOut"] = report.HoldOut is { } rest ? Of(rest) : null,
        ["cost"] = Of(report.Cost),
        ["learns"] = Texts(report.Client.Learns),
    };

    private static JsonObject Of(ModelAccuracy accuracy) => new()
    {
        ["rows"] = accuracy.Rows,
        ["plain"] = accuracy.Plain,
        ["compiled"] = accuracy.Compiled,
        ["sameClass"] = accuracy.SameClass,
        ["largestScoreDifference"] = accuracy.LargestScoreDifference,
        ["largestDifference"] = accuracy.LargestDifference,
        ["meanDifference"] = accuracy.MeanDifference,
    };

    private static JsonObject Of(ModelCost cost) => new()
    {
        ["rows"] = cost.Rows,
        ["queryBytes"] = cost.QueryBytes,
        ["answerBytes"] = cost.AnswerBytes,
        ["publicKeyBytes"] = cost.PublicKeyBytes,
        ["modelBytes"] = cost.ModelBytes,
        ["measured"] = cost.Measured,
        ["encrypt"] = cost.Encrypt.TotalMicroseconds,
        ["evaluate"] = cost.Evaluate.TotalMicroseconds,
        ["perRow"] = cost.PerRow.TotalMicroseconds,
        ["decrypt"] = cost.Decrypt.TotalMicroseconds,
    };

    private static JsonArray Texts(IReadOnlyList<string> texts) => new([.. texts.Select(text => (JsonNode?)text)]);
}

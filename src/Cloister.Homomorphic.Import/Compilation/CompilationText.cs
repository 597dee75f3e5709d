using System.Globalization;
using System.Text;

namespace Cloister.Homomorphic.Import;

/// <summary>A report as a person reads it.</summary>
public static class CompilationText
{
    /// <summary>Lines for a terminal.</summary>
    public static string Of(CompilationReport report)
    {
        var text = new StringBuilder();
        Section(text, "How", report.Choices);
        text.AppendLine(CultureInfo.InvariantCulture, $"{(report.Client.Output.Classes.Count > 0 ? "Accuracy" : "R²"),-12}{"rows",8}{"in the clear",14}{"compiled",12}{"same class",12}{"largest difference of scores / predictions",45}");
        Line(text, "calibration", report.Calibration);
        if (report.HoldOut is { } rest) Line(text, "held out", rest);
        ModelCost cost = report.Cost;
        Section(text, "Cost",
        [
            string.Create(CultureInfo.InvariantCulture, $"query     {cost.QueryBytes,12:N0} bytes for {cost.Rows:N0} row{(cost.Rows == 1 ? "" : "s")}{(cost.PublicKeyBytes > 0 ? $", of which {cost.PublicKeyBytes:N0} are the client's public key" : "")}"),
            string.Create(CultureInfo.InvariantCulture, $"answer    {cost.AnswerBytes,12:N0} bytes"),
            string.Create(CultureInfo.InvariantCulture, $"keys                32 bytes with the client, none with the server"),
            string.Create(CultureInfo.InvariantCulture, $"server    {Time(cost.Evaluate)} a query, {Time(cost.PerRow)} a row ({(cost.Measured ? "median of several" : "one first query, slower than later ones; --measure asks several times")})"),
            string.Create(CultureInfo.InvariantCulture, $"client    {Time(cost.Encrypt)} to encrypt, {Time(cost.Decrypt)} to decrypt"),
        ]);
        Section(text, "What a client learns", report.Client.Learns);
        return text.ToString().TrimEnd();
    }

    /// <summary>A time in the unit that suits it.</summary>
    public static string Time(TimeSpan time) => time.TotalMilliseconds switch
    {
        >= 1000 => time.TotalSeconds.ToString("0.00 s", CultureInfo.InvariantCulture),
        >= 1 => time.TotalMilliseconds.ToString("0.00 ms", CultureInfo.InvariantCulture),
        _ => time.TotalMicroseconds.ToString("0.0 µs", CultureInfo.InvariantCulture),
    };

    private static void Section(StringBuilder text, string title, IReadOnlyList<string> lines)
    {
        text.AppendLine(title);
        foreach (string line in lines) text.Append("  ").AppendLine(line);
    }

    private static void Line(StringBuilder text, string name, ModelAccuracy accuracy) => text.AppendLine(CultureInfo.InvariantCulture,
        $"  {name,-10}{accuracy.Rows,8:N0}{Share(accuracy.Plain),14}{Share(accuracy.Compiled),12}{Share(accuracy.SameClass),12}{$"{accuracy.LargestScoreDifference:0.0000} / {accuracy.LargestDifference:0.0000}",45}");

    private static string Share(double? value) => value is { } share ? share.ToString("0.0000", CultureInfo.InvariantCulture) : "-";
}

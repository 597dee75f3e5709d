using System.Text.Json.Nodes;
using Cloister.Attestation.Measurements;

namespace Cloister.Cli.CommandLine;

/// <summary>An image's measurements, for people and programs.</summary>
internal static class MeasurementText
{
    public static string ToText(ImageMeasurements measurements) => string.Join('\n',
    [
        $"{measurements.Name}, product {measurements.Product}, version {measurements.Version}{(measurements.Debug ? ", DEBUG: whoever runs it can look inside" : "")}",
        $"  uki        {measurements.Uki}",
        $"  root hash  {measurements.RootHash}",
        .. measurements.Pcrs.SelectMany(path => path.Value.Select(pcr => $"  {$"{path.Key} PCR {pcr.Key}",-13}  {pcr.Value}")),
    ]);

    public static JsonNode ToJson(ImageMeasurements measurements) => JsonNode.Parse(ImageMeasurementsJson.Write(measurements))!;
}

using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Cloister.Cli.Quickstart.Vtpm;

/// <summary>An image as a package of a manifest, or as what a coordinator must be: its PCRs as predicted, quoted by a TPM that an authority endorsed.</summary>
internal static class MeasuredPackage
{
    public const string MeasurementsFile = "measurements.json";

    /// <param name="image">The built image's folder.</param>
    /// <param name="root">The TPM authority's root certificate.</param>
    /// <param name="cancellation">Ends reading.</param>
    public static async Task<JsonObject> ReadAsync(string image, X509Certificate2 root, CancellationToken cancellation) => new()
    {
        ["Tpm"] = new JsonObject
        {
            ["Image"] = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(image, MeasurementsFile), cancellation)),
            ["Path"] = "Kernel",
            ["Key"] = new JsonObject
            {
                ["Endorsed"] = new JsonObject { ["Roots"] = new JsonArray(Convert.ToBase64String(root.RawData)), ["Certificates"] = new JsonObject { ["Any"] = true } },
            },
        },
    };
}

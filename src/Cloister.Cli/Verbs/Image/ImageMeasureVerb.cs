using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Attestation.Measurements;
using Cloister.Attestation.Tpm;
using Cloister.Cli.CommandLine;
using Cloister.Images.Build;

namespace Cloister.Cli.Verbs;

internal static class ImageMeasureVerb
{
    private static readonly Argument<string> Image = new("image") { Description = "A built image's folder, or its package." };
    private static readonly Option<bool> Policy = new("--policy") { Description = "Print the policy of a package that is this image." };
    private static readonly Option<string[]> Root = new("--root") { Description = "With --policy: a root certificate, PEM, of an authority whose TPMs are accepted. May be given several times." };
    private static readonly Option<BootPath> Boot = new("--boot") { Description = "With --policy: how firmware starts it.", DefaultValueFactory = _ => BootPath.Kernel };

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    public static Command Create() => new Verb("measure", "Compute an image's measurements from its files, and compare them with those beside it.",
        "cloister image measure hello/image",
        "cloister image measure hello/image --policy --root authority.pem") { Image, Policy, Root, Boot }
        .Runs(MeasureAsync);

    private static async Task MeasureAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        ImageFolder image = await ImageFolder.OpenAsync(parsed.GetRequiredValue(Image), null, cancellation);
        string[] roots = parsed.GetValue(Root) ?? [];
        bool policy = parsed.GetValue(Policy);
        if (policy != roots.Length > 0) throw new CommandException(ExitCode.Usage, "--policy and --root go together: the policy names whose TPMs are accepted.");
        var bars = new BuildBars(screen);
        ImageMeasurements measurements = await bars.ShowAsync(() => image.VerifyAsync(bars, cancellation));
        if (policy)
        {
            JsonObject written = await PolicyAsync(measurements, roots, parsed.GetValue(Boot), screen, cancellation);
            screen.Result(screen.Json ? "" : written.ToJsonString(Readable), written);
            return;
        }
        screen.Result($"{MeasurementText.ToText(measurements)}\nthe files give what {ImageLayout.Measurements} says", MeasurementText.ToJson(measurements).AsObject());
    }

    private static async Task<JsonObject> PolicyAsync(ImageMeasurements measurements, string[] roots, BootPath path, Screen screen, CancellationToken cancellation)
    {
        var certificates = new List<ReadOnlyMemory<byte>>();
        foreach (string root in roots)
        {
            try
            {
                using var certificate = X509Certificate2.CreateFromPem(await LocalFile.ReadTextAsync(root, cancellation));
                certificates.Add(certificate.RawData);
            }
            catch (CryptographicException malformed)
            {
                throw new CommandException(ExitCode.BadInput, $"'{root}' is no certificate in PEM: {malformed.Message}", malformed);
            }
        }
        if (measurements.Debug) screen.Warn("this is a debug image: whoever runs it can look inside, and this policy accepts that.");
        var key = new TpmKeyPolicy.Endorsed([.. certificates], Requirement.Any<string>());
        byte[] policy = PolicyWriter.Write(TpmPolicy.Of(new TpmImage(measurements, path, measurements.Debug), key));
        return JsonNode.Parse(policy)!.AsObject();
    }
}

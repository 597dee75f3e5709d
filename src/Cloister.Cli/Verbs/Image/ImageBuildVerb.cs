using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Attestation.Measurements;
using Cloister.Cli.CommandLine;
using Cloister.Images;
using Cloister.Images.Build;

namespace Cloister.Cli.Verbs;

internal static class ImageBuildVerb
{
    private static readonly Argument<string> Definition = new("definition") { Description = "The folder with image.yaml, or the file itself.", DefaultValueFactory = _ => "." };
    private static readonly Option<string?> Output = new("--output") { Description = "The image's folder; 'image' beside the definition if it is not given." };
    private static readonly Option<string?> Programs = new("--programs") { Description = "The folder with the published programs that go into machines: agent/ and cloister/." };
    private static readonly Option<string?> Cache = new("--cache") { Description = "Where packages and roots are kept." };
    private static readonly Option<bool> Update = new("--update") { Description = "Take inputs as they are now, and write image.lock anew." };

    public static Command Create() => new Verb("build", "Build an image: one kernel image, a root that proves itself, and the PCRs that a TPM will show. The same inputs give the same bytes.",
        "cloister image build hello",
        "cloister image build hello --output /srv/hello --update") { Definition, Output, Programs, Cache, Update }
        .Runs(BuildAsync);

    private static async Task BuildAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        (ImageDefinition definition, string folder) = await DefinitionFile.ReadAsync(parsed.GetRequiredValue(Definition), cancellation);
        string output = parsed.GetValue(Output) ?? Path.Combine(folder, "image");
        var options = new BuildOptions { Output = output, Programs = parsed.GetValue(Programs) ?? BuildOptions.DefaultPrograms, Cache = parsed.GetValue(Cache), Update = parsed.GetValue(Update) };
        var bars = new BuildBars(screen);
        long start = TimeProvider.System.GetTimestamp();
        ImageMeasurements measurements = await bars.ShowAsync(() => ImageBuilder.BuildAsync(definition, folder, options, bars, cancellation));
        double seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        long root = new FileInfo(Path.Combine(output, ImageLayout.Root)).Length, uki = new FileInfo(Path.Combine(output, ImageLayout.Uki)).Length;
        if (definition.Debug) screen.Warn("this is a debug image: whoever runs it can look inside. Its measurements are not those of the image without debug.");
        screen.Result($"built '{output}' in {seconds:0.0} s: kernel image {uki / 1048576.0:0.0} MiB, root {root / 1048576.0:0.0} MiB\n{MeasurementText.ToText(measurements)}",
            new JsonObject { ["image"] = output, ["measurements"] = MeasurementText.ToJson(measurements), ["ukiBytes"] = uki, ["rootBytes"] = root, ["seconds"] = Math.Round(seconds, 3) });
    }
}

using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Images;
using Cloister.Images.Build;

namespace Cloister.Cli.Verbs;

internal static class ImageInspectVerb
{
    private static readonly Argument<string> Image = new("image") { Description = "A built image's folder, or its package." };
    private static readonly Option<bool> Files = new("--files") { Description = "Also list every file of the root." };

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    public static Command Create() => new Verb("inspect", "Show what is in an image, from the image alone: parts of the kernel image, definition, inputs. It checks nothing: image measure does.",
        "cloister image inspect hello/image",
        "cloister image inspect hello.tar --files") { Image, Files }
        .Runs(InspectAsync);

    private static async Task InspectAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        ImageFolder image = await ImageFolder.OpenAsync(parsed.GetRequiredValue(Image), null, cancellation);
        IReadOnlyList<KernelImagePart> parts = KernelImagePart.Read(image.ReadUki());
        ImageLock inputs = image.ReadLock();
        JsonNode definition = JsonNode.Parse(ImageDefinitionJson.Write(image.Definition))!;
        string? files = parsed.GetValue(Files) ? await RootListing.ReadAsync(image.Root, cancellation) : null;
        var text = new StringBuilder(MeasurementText.ToText(image.Measurements));
        text.Append("\n\nkernel image\n").AppendJoin('\n', parts.Select(part => $"  {part.Name,-10} {part.Size,12:N0}  {part.Sha256}{(part.Text is { } said ? $"\n    {said.TrimEnd().Replace("\n", "\n    ", StringComparison.Ordinal)}" : "")}"));
        text.Append("\n\ninputs\n").AppendJoin('\n', inputs.Inputs.Select(input => $"  {input}"));
        text.Append("\n\ndefinition\n").Append(definition.ToJsonString(Readable));
        if (files is not null) text.Append("\n\nroot\n").Append(files.TrimEnd());
        var document = new JsonObject
        {
            ["measurements"] = MeasurementText.ToJson(image.Measurements),
            ["kernelImage"] = new JsonArray([.. parts.Select(part => (JsonNode)new JsonObject { ["name"] = part.Name, ["bytes"] = part.Size, ["sha256"] = part.Sha256, ["text"] = part.Text })]),
            ["inputs"] = new JsonArray([.. inputs.Inputs.Select(input => (JsonNode)new JsonObject { ["kind"] = input.Kind, ["name"] = input.Name, ["version"] = input.Version, ["sha256"] = input.Sha256 })]),
            ["definition"] = definition,
        };
        if (files is not null) document["files"] = new JsonArray([.. files.TrimEnd().Split('\n').Select(line => (JsonNode)line)]);
        screen.Result(screen.Json ? "" : text.ToString(), document);
    }
}

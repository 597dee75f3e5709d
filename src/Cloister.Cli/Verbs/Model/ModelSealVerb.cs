using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Sealing;
using Cloister.Serving;
using Cloister.Serving.Encrypted;
using Cloister.Serving.Repository;

namespace Cloister.Cli.Verbs;

internal static class ModelSealVerb
{
    private const int LargestGraph = int.MaxValue;

    private static readonly Option<string?> Model = new("--model") { Description = "The ONNX file; external weights are found beside it. Or an encrypted model, as cloister he compile wrote it." };
    private static readonly Option<string?> Partition = new("--partition") { Description = "Instead of --model, a model in parts: the folder that cloister model partition wrote. Its signature and digests are checked first." };
    private static readonly Option<string?> Labels = new("--labels") { Description = "A text file with one label a line." };
    private static readonly Option<string?> Preprocess = new("--preprocess") { Description = "How a picture becomes a tensor: " + string.Join(", ", Preprocessing.Names) + "." };
    private static readonly Option<string?> Configuration = new("--config") { Description = "How the model is to be served: a config.json, instead of --preprocess (docs/serving.md)." };
    private static readonly Option<string?> WarmUp = new("--warmup") { Description = "Requests that a version must answer before it is served: Open Inference Protocol, one a line." };
    private static readonly Option<string> Name = new("--name") { Description = "The model's name, as the manifest names it.", Required = true };
    private static readonly Option<long> Version = new("--version") { Description = "The model's version.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string> Key = new("--key") { Description = "The model's key (from: cloister model keygen).", Required = true };
    private static readonly Option<string> Maker = new("--maker") { Description = "The maker's signing key, PEM.", Required = true };
    private static readonly Option<string> Out = new("--out") { Description = "The sealed file to write.", Required = true };

    public static Command Create() => new Verb("seal", "Encrypt and sign a model, and what belongs to it, into one file.",
        "cloister model seal --model shapes.onnx --labels labels.txt --preprocess unit --name shapes --key owner/model.key --maker owner/maker.pem --out store/shapes.sealed",
        "cloister model seal --model spam.he --name spam --key owner/model.key --maker owner/maker.pem --out store/spam.sealed",
        "cloister model seal --partition parts --labels labels.txt --preprocess imagenet --name animals --key owner/model.key --maker owner/maker.pem --out store/animals.sealed")
        { Model, Partition, Labels, Preprocess, Configuration, WarmUp, Name, Version, Key, Maker, Out }
        .Runs(SealAsync);

    private static async Task SealAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        PartitionFolder? parts = await PartsAsync(parsed, cancellation);
        SealedContent content = await ContentAsync(parsed, parts, cancellation);
        using SecretBytes key = await KeyFile.ReadAsync(parsed.GetRequiredValue(Key), cancellation);
        using MakerKey maker = MakerKey.FromPem(await LocalFile.ReadTextAsync(parsed.GetRequiredValue(Maker), cancellation));
        string path = parsed.GetRequiredValue(Out);
        long length = content.Entries.Sum(entry => entry.Length);
        string digest = await screen.ProgressAsync("sealing", length, progress => SealedFile.SealAsync(path, content, key.Memory, maker, progress, cancellation));
        screen.Result(
            $"sealed '{content.Name}' version {content.Version}: {content.Entries.Count} entries, {length:N0} bytes\ndigest {digest}\nmaker  {maker.Public}{(parts is null ? "" : "\n" + parts.Describe(maker.Public))}",
            new JsonObject
            {
                ["file"] = path,
                ["name"] = content.Name,
                ["version"] = content.Version,
                ["bytes"] = length,
                ["digest"] = digest,
                ["makerKey"] = Convert.ToBase64String(maker.Public.SubjectPublicKeyInfo.Span),
                ["assessorKey"] = parts is null ? null : Convert.ToBase64String(parts.Assessor.SubjectPublicKeyInfo.Span),
                ["protection"] = parts is null ? null : new JsonObject([.. parts.Report.Protection.Select(score => KeyValuePair.Create(score.Key, (JsonNode?)score.Value))]),
            });
    }

    private static async Task<PartitionFolder?> PartsAsync(ParseResult parsed, CancellationToken cancellation)
    {
        string? folder = parsed.GetValue(Partition);
        if (folder is null == parsed.GetValue(Model) is null) throw new CommandException(ExitCode.Usage, "Give --model, a file, or --partition, a folder with a model in parts.");
        return folder is null ? null : await PartitionFolder.ReadAsync(folder, cancellation);
    }

    private static async Task<SealedContent> ContentAsync(ParseResult parsed, PartitionFolder? parts, CancellationToken cancellation)
    {
        var entries = new List<SealedSource>();
        if (parts is not null) entries.AddRange(parts.Entries);
        else if (await ModelAsync(parsed, entries, cancellation) is { } compiled) return compiled;
        byte[]? labelled = parsed.GetValue(Labels) is { } labels ? await LocalFile.ReadAsync(labels, cancellation) : null;
        byte[]? configured = await ConfiguredAsync(parsed, cancellation);
        if (parts is not null) PartitionFolder.Demand(labelled, configured);
        else if (configured is not null && ModelConfiguration.Read(configured).Partition is not null)
            throw new CommandException(ExitCode.BadInput, "The configuration has a member 'partition', and the model is not in parts: leave it out, or seal with --partition.");
        if (labelled is not null) entries.Add(SealedSource.FromBytes("labels.txt", labelled));
        if (parsed.GetValue(WarmUp) is { } warmUp) entries.Add(SealedSource.FromBytes("warmup.jsonl", await LocalFile.ReadAsync(warmUp, cancellation)));
        if (configured is not null) entries.Add(SealedSource.FromBytes("config.json", configured));
        return new SealedContent(parsed.GetRequiredValue(Name), parsed.GetValue(Version), entries);
    }

    // The content of an encrypted model; null for an ONNX model, whose entries are added.
    private static async Task<SealedContent?> ModelAsync(ParseResult parsed, List<SealedSource> entries, CancellationToken cancellation)
    {
        string path = parsed.GetRequiredValue(Model)!;
        byte[] graph = await LocalFile.ReadAsync(path, cancellation, LargestGraph);
        if (CompiledModelEntry.Recognises(graph)) return await CompiledAsync(path, graph, parsed, cancellation);
        entries.Add(SealedSource.FromBytes("model.onnx", graph));
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        foreach (string location in OnnxModel.ExternalInitializers(OnnxModel.Parse(graph)).Select(weights => weights.Location).Distinct())
        {
            if (location != Path.GetFileName(location))
                throw new CommandException(ExitCode.BadInput, $"'{path}' keeps weights in '{location}'; only files beside the model can be sealed.");
            entries.Add(SealedSource.FromFile(location, Path.Combine(folder, location)));
        }
        return null;
    }

    private static async Task<byte[]?> ConfiguredAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetValue(Configuration) is { } configuration)
        {
            if (parsed.GetValue(Preprocess) is not null) throw new CommandException(ExitCode.Usage, "Say preprocess in the configuration: --config and --preprocess do not go together.");
            return await ReadConfigurationAsync(configuration, cancellation);
        }
        if (parsed.GetValue(Preprocess) is not { } preprocess) return null;
        _ = Preprocessing.Parse(preprocess);
        return Encoding.UTF8.GetBytes(new JsonObject { ["preprocess"] = preprocess }.ToJsonString());
    }

    // It says all of itself, so that nothing else belongs to it; clients are told what they need by the server that opens it.
    private static async Task<SealedContent> CompiledAsync(string path, byte[] bytes, ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetValue(Labels) is not null || parsed.GetValue(Preprocess) is not null || parsed.GetValue(WarmUp) is not null)
            throw new CommandException(ExitCode.Usage, "An encrypted model has no --labels, --preprocess or --warmup: its classes are in it, and rows come encrypted.");
        var entries = new List<SealedSource> { SealedSource.FromBytes(CompiledModelEntry.Name, bytes) };
        try
        {
            CompiledModelEntry.Read(bytes).Dispose();
            if (parsed.GetValue(Configuration) is { } configuration)
            {
                byte[] json = await ReadConfigurationAsync(configuration, cancellation);
                CompiledModelEntry.Demand(ModelConfiguration.Read(json));
                entries.Add(SealedSource.FromBytes("config.json", json));
            }
        }
        catch (ServingException refusal)
        {
            throw new CommandException(ExitCode.BadInput, $"'{path}': {refusal.Message}", refusal);
        }
        return new SealedContent(parsed.GetRequiredValue(Name), parsed.GetValue(Version), entries);
    }

    private static async Task<byte[]> ReadConfigurationAsync(string path, CancellationToken cancellation)
    {
        byte[] bytes = await LocalFile.ReadAsync(path, cancellation);
        try
        {
            _ = ModelConfiguration.Read(bytes);
            return bytes;
        }
        catch (ServingException refusal)
        {
            throw new CommandException(ExitCode.BadInput, $"'{path}': {refusal.Message}", refusal);
        }
    }
}

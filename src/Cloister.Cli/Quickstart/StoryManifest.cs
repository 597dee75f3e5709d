using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cloister.Cli.Quickstart;

/// <summary>The documents that the story's parties write: the operator's manifest, and the policies by which others judge the coordinator.</summary>
internal static class StoryManifest
{
    public const string MarbleType = "inference", Model = "classifier", Secret = "classifier-key", User = "model-owner", Caller = "client";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    public static JsonObject Simulation(string digest, string hostKey) => new() { ["Simulation"] = new JsonObject { ["Digest"] = digest, ["HostKeys"] = new JsonArray(hostKey) } };

    /// <summary>One package, workload types of it (one, as a rule), models under one key that their owner will upload, one user who may, one caller.</summary>
    public static string Manifest(JsonObject package, IReadOnlyList<StoryModel> models, string ownerCertificate, string tokenSha256) => new JsonObject
    {
        ["Packages"] = new JsonObject { ["serving"] = package.DeepClone() },
        ["Marbles"] = new JsonObject(models.GroupBy(model => model.Marble).Select(marble => KeyValuePair.Create<string, JsonNode?>(
            marble.Key, new JsonObject { ["Package"] = "serving", ["Models"] = Names(marble) }))),
        ["Secrets"] = new JsonObject { [Secret] = new JsonObject { ["Type"] = "symmetric-key", ["Size"] = 256, ["UserDefined"] = true } },
        ["Models"] = new JsonObject(models.Select(model => KeyValuePair.Create<string, JsonNode?>(model.Name, Of(model)))),
        ["Users"] = new JsonObject { [User] = new JsonObject { ["Certificate"] = ownerCertificate, ["Roles"] = new JsonArray("key-release") } },
        ["Roles"] = new JsonObject
        {
            ["key-release"] = new JsonObject { ["ResourceType"] = "Secrets", ["ResourceNames"] = new JsonArray(Secret), ["Actions"] = new JsonArray("WriteSecret") },
        },
        ["Callers"] = new JsonObject { [Caller] = new JsonObject { ["TokenSha256"] = tokenSha256, ["Models"] = Names(models) } },
    }.ToJsonString(Readable);

    /// <summary>A policy for the coordinator; <paramref name="fingerprint"/> null leaves the manifest to the owner's signature.</summary>
    public static string Policy(JsonObject coordinator, string ownerKey, string? fingerprint) => new JsonObject
    {
        ["Coordinator"] = coordinator.DeepClone(),
        ["OwnerKeys"] = new JsonArray(ownerKey),
        ["Manifest"] = fingerprint is null ? "Any" : new JsonObject { ["Exactly"] = fingerprint },
    }.ToJsonString(Readable);

    private static JsonObject Of(StoryModel model)
    {
        var said = new JsonObject { ["Digest"] = model.Digest, ["MakerKey"] = model.MakerKey, ["Secret"] = Secret, ["MinimumVersion"] = 1 };
        if (model.Mode is { } mode) said["Mode"] = mode;
        if (model.Partition is { } partition) said["Partition"] = partition.DeepClone();
        return said;
    }

    private static JsonArray Names(IEnumerable<StoryModel> models) => new([.. models.Select(model => (JsonNode)model.Name)]);
}

/// <summary>A sealed model in the store.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Digest">The sealed file's.</param>
/// <param name="MakerKey">Who signed it.</param>
internal sealed record StoryModel(string Name, string Digest, string MakerKey)
{
    /// <summary>The workload type that holds it.</summary>
    public string Marble { get; init; } = StoryManifest.MarbleType;

    /// <summary>Its mode, where the manifest says one.</summary>
    public string? Mode { get; init; }

    /// <summary>What the manifest demands of its report, where it runs in parts.</summary>
    public JsonObject? Partition { get; init; }
}

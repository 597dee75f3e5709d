using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cloister.Cli.Quickstart;

/// <summary>The documents that the story's parties write: the operator's manifest, and the policies by which others judge the coordinator.</summary>
internal static class StoryManifest
{
    public const string MarbleType = "inference", Model = "classifier", Secret = "classifier-key", User = "model-owner", Caller = "client";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    public static JsonObject Simulation(string digest, string hostKey) => new() { ["Simulation"] = new JsonObject { ["Digest"] = digest, ["HostKeys"] = new JsonArray(hostKey) } };

    /// <summary>One package, one workload type, one model whose key its owner will upload, one user who may, one caller.</summary>
    public static string Manifest(JsonObject package, string digest, string makerKey, string ownerCertificate, string tokenSha256) => new JsonObject
    {
        ["Packages"] = new JsonObject { ["serving"] = package },
        ["Marbles"] = new JsonObject { [MarbleType] = new JsonObject { ["Package"] = "serving", ["Models"] = new JsonArray(Model) } },
        ["Secrets"] = new JsonObject { [Secret] = new JsonObject { ["Type"] = "symmetric-key", ["Size"] = 256, ["UserDefined"] = true } },
        ["Models"] = new JsonObject { [Model] = new JsonObject { ["Digest"] = digest, ["MakerKey"] = makerKey, ["Secret"] = Secret, ["MinimumVersion"] = 1 } },
        ["Users"] = new JsonObject { [User] = new JsonObject { ["Certificate"] = ownerCertificate, ["Roles"] = new JsonArray("key-release") } },
        ["Roles"] = new JsonObject
        {
            ["key-release"] = new JsonObject { ["ResourceType"] = "Secrets", ["ResourceNames"] = new JsonArray(Secret), ["Actions"] = new JsonArray("WriteSecret") },
        },
        ["Callers"] = new JsonObject { [Caller] = new JsonObject { ["TokenSha256"] = tokenSha256, ["Models"] = new JsonArray(Model) } },
    }.ToJsonString(Readable);

    /// <summary>A policy for the coordinator; <paramref name="fingerprint"/> null leaves the manifest to the owner's signature.</summary>
    public static string Policy(JsonObject coordinator, string ownerKey, string? fingerprint) => new JsonObject
    {
        ["Coordinator"] = coordinator,
        ["OwnerKeys"] = new JsonArray(ownerKey),
        ["Manifest"] = fingerprint is null ? "Any" : new JsonObject { ["Exactly"] = fingerprint },
    }.ToJsonString(Readable);
}

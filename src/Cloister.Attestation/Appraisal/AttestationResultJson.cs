using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Attestation;

/// <summary>The written form of an <see cref="AttestationResult"/> (docs/formats/attestation-result.md).</summary>
internal static class AttestationResultJson
{
    private const int Version = 1;

    public static string Write(AttestationResult result, ImmutableArray<Claims> claims) => JsonSerializer.Serialize(
        new ResultJson(
            Version,
            result.Refused is null,
            result.Simulated,
            result.Refused is { } refused ? new RefusedJson((int)refused.Refusal, $"{refused.Refusal}", refused.Id, refused.Field, refused.Reason) : null,
            [.. claims.Select(one => new ClaimsJson($"{one.Kind}", one.Simulated, one.Measurement, new SortedDictionary<string, string>(one.Fields, StringComparer.Ordinal)))],
            [.. result.Checks.Select(ToJson)]),
        AttestationResultContext.Default.ResultJson);

    private static CheckJson ToJson(Check check) => new(
        check.Id,
        check.Verdict switch { Verdict.Passed => "passed", Verdict.Failed => "failed", _ => "not reached" },
        check.Field,
        check.Value,
        check.Expected,
        check.Verdict == Verdict.Failed ? (int)check.Refusal : null,
        check.Verdict == Verdict.Failed ? check.Reason : null,
        check.Branches.IsDefaultOrEmpty ? null : [.. check.Branches.Select(branch => new BranchJson(branch.Name, branch.Passed, [.. branch.Checks.Select(ToJson)]))]);
}

internal sealed record ResultJson(int Version, bool Accepted, bool Simulated, RefusedJson? Refused, ClaimsJson[] Claims, CheckJson[] Checks);

internal sealed record RefusedJson(int Number, string Name, string Check, string Field, string Reason);

internal sealed record ClaimsJson(string Kind, bool Simulated, string Measurement, SortedDictionary<string, string> Fields);

internal sealed record CheckJson(string Id, string Verdict, string Field, string? Value, string? Expected, int? Refusal, string? Reason, BranchJson[]? Branches);

internal sealed record BranchJson(string Name, bool Passed, CheckJson[] Checks);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ResultJson))]
internal sealed partial class AttestationResultContext : JsonSerializerContext;

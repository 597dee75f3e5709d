using System.Buffers;
using System.Buffers.Text;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Cloister.Attestation;

/// <summary>Writes an <see cref="AttestationResult"/> as an EAT attestation result (RFC 9711, draft-ietf-rats-ear-04; docs/formats/ear.md).</summary>
internal static class EarJson
{
    public const string Profile = "tag:ietf.org,2026:rats/ear#04";

    private const int SmallestNonce = 8, LargestNonce = 64;
    private const string Evidence = "evidence[";

    public static byte[] Write(AttestationResult result, ImmutableArray<Claims> claims, EarContext context)
    {
        if (context.Nonce.Length is not 0 and (< SmallestNonce or > LargestNonce)) throw new ArgumentException($"A nonce has {SmallestNonce} to {LargestNonce} bytes.", nameof(context));
        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output))
        {
            writer.WriteStartObject();
            writer.WriteString("eat_profile", Profile);
            writer.WriteNumber("iat", context.IssuedAt.ToUnixTimeSeconds());
            if (context.ExpiresAt is { } until) writer.WriteNumber("exp", until.ToUnixTimeSeconds());
            if (!context.Nonce.IsEmpty) writer.WriteString("eat_nonce", Base64Url.EncodeToString(context.Nonce.Span));
            writer.WriteStartObject("ear_verifier_id");
            writer.WriteString("developer", context.Developer);
            writer.WriteString("build", context.Build);
            writer.WriteEndObject();
            writer.WriteStartObject("submods");
            ImmutableArray<Check> looked = [.. Flat(result.Checks)];
            for (int i = 0; i < Math.Max(1, Math.Max(claims.Length, Pieces(looked))); i++)
                WriteAppraisal(writer, result, i, i < claims.Length ? claims[i] : null, [.. looked.Where(check => IsOf(check, i))], context);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        return output.WrittenSpan.ToArray();
    }

    private static void WriteAppraisal(Utf8JsonWriter writer, AttestationResult result, int index, Claims? claims, ImmutableArray<Check> checks, EarContext context)
    {
        EarVector vector = EarVector.Of(claims, checks);
        writer.WriteStartObject(string.Create(CultureInfo.InvariantCulture, $"evidence-{index}"));
        writer.WriteString("ear_status", vector.Status(result.Refused is null));
        writer.WriteStartObject("ear_trustworthiness_vector");
        WriteValue(writer, "instance-identity", vector.InstanceIdentity);
        WriteValue(writer, "configuration", vector.Configuration);
        WriteValue(writer, "executables", vector.Executables);
        WriteValue(writer, "hardware", vector.Hardware);
        WriteValue(writer, "runtime-opaque", vector.RuntimeOpaque);
        writer.WriteEndObject();
        if (context.PolicyId is { } policy)
        {
            writer.WriteStartArray("ear_appraisal_policy_ids");
            writer.WriteStringValue(policy);
            writer.WriteEndArray();
        }
        if (claims is not null) WriteClaims(writer, claims);
        writer.WriteStartObject("ear_verifier_claims");
        writer.WriteBoolean("accepted", result.Refused is null);
        if (result.Refused is { } refused)
        {
            writer.WriteNumber("refusal", (int)refused.Refusal);
            writer.WriteString("check", refused.Id);
            writer.WriteString("reason", refused.Reason);
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteClaims(Utf8JsonWriter writer, Claims claims)
    {
        writer.WriteStartObject("ear_attester_claims");
        writer.WriteString("kind", $"{claims.Kind}");
        writer.WriteBoolean("simulated", claims.Simulated);
        writer.WriteString("measurement", claims.Measurement);
        writer.WriteStartObject("fields");
        foreach ((string name, string value) in claims.Fields.OrderBy(field => field.Key, StringComparer.Ordinal))
            writer.WriteString(name, value);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter writer, string name, int value)
    {
        if (value != 0) writer.WriteNumber(name, value);
    }

    /// <summary>Every check that counts: of alternatives those that hold, or if none does, all.</summary>
    private static IEnumerable<Check> Flat(ImmutableArray<Check> checks) => checks.SelectMany(check =>
        check.Branches.Where(branch => branch.Passed || check.Verdict == Verdict.Failed).SelectMany(branch => Flat(branch.Checks)).Prepend(check));

    private static bool IsOf(Check check, int index) =>
        !check.Field.StartsWith(Evidence, StringComparison.Ordinal) || check.Field.StartsWith(string.Create(CultureInfo.InvariantCulture, $"{Evidence}{index}]"), StringComparison.Ordinal);

    private static int Pieces(ImmutableArray<Check> checks) => checks.Select(check =>
        check.Field.StartsWith(Evidence, StringComparison.Ordinal) && int.TryParse(check.Field.AsSpan(Evidence.Length, Math.Max(0, check.Field.IndexOf(']', StringComparison.Ordinal) - Evidence.Length)), NumberStyles.None, CultureInfo.InvariantCulture, out int index) ? index + 1 : 0).DefaultIfEmpty().Max();
}

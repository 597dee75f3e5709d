using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Rest;

namespace Cloister.Protocol.Trust;

/// <summary>
/// The runtime data of a workload's evidence: what it says it is, under which manifest it was (or asks to be) activated, and how it protects
/// what its models are sent (docs/wire.md).
/// </summary>
/// <param name="Type">Marble type.</param>
/// <param name="Uuid">Its instance, canonical: lower case with dashes.</param>
/// <param name="ManifestFingerprint">64 lower-case hex digits.</param>
public sealed record WorkloadStatement(string Type, string Uuid, string ManifestFingerprint)
{
    private const string Role = "workload";

    /// <summary>By model: its mode, a word of <see cref="ModelModes"/>. Of the models that the workload holds, those whose mode the manifest states.</summary>
    public ImmutableSortedDictionary<string, string> Modes { get; init; } = ManifestDocument.Names.Empty<string>();

    /// <summary>Largest statement in bytes: half of what evidence holds.</summary>
    public const int MaxBytes = 32 << 10;

    /// <summary>Writes the statement.</summary>
    public byte[] ToBytes() => RestJson.Write(
        new Written(Role, Type, Uuid, ManifestFingerprint) { Modes = Modes.IsEmpty ? null : new Dictionary<string, string>(Modes, StringComparer.Ordinal) }, StatementJson.Strict.Written);

    /// <summary>Reads a statement.</summary>
    /// <exception cref="ProtocolException">It is not one: unknown, missing or repeated members, another role, a wrong digest or UUID, a mode that there is not.</exception>
    public static WorkloadStatement Read(ReadOnlySpan<byte> json)
    {
        Written written = RestJson.Read(json, StatementJson.Strict.Written, MaxBytes);
        StatementJson.Require(written.Role == Role, "role", "is not 'workload'");
        StatementJson.Require(written.Type.Length is > 0 and <= MarbleExtension.MaxBytes, "type", "is empty or too long");
        StatementJson.Require(Guid.TryParseExact(written.Uuid, "D", out Guid uuid) && uuid.ToString("D") == written.Uuid, "uuid", "is not a canonical UUID");
        StatementJson.Require(Manifest.ManifestFingerprint.IsValid(written.ManifestFingerprint), "manifestFingerprint", "is not 64 lower-case hex digits");
        Dictionary<string, string> modes = written.Modes ?? [];
        StatementJson.Require(modes.All(one => one.Key.Length > 0 && ModelModes.All.Contains(one.Value)), "modes", "names a model without a name, or a mode that there is not");
        return new WorkloadStatement(written.Type, written.Uuid, written.ManifestFingerprint) { Modes = modes.ToImmutableSortedDictionary(StringComparer.Ordinal) };
    }

    /// <summary>Whether both say the same.</summary>
    public bool Equals(WorkloadStatement? other) => other is not null
        && Type == other.Type && Uuid == other.Uuid && ManifestFingerprint == other.ManifestFingerprint && Modes.SequenceEqual(other.Modes);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Type, Uuid, ManifestFingerprint, Modes.Count);

    /// <summary>Fuzz target: what is read writes and reads back the same.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        try
        {
            WorkloadStatement statement = Read(data);
            if (Read(statement.ToBytes()) != statement) throw new InvalidOperationException("A statement did not survive being written.");
        }
        catch (ProtocolException)
        {
            // The documented refusal.
        }
    }

    /// <summary>The JSON, with its members in this order. Modes are absent where there is none: such statements have the bytes that they always had.</summary>
    internal sealed record Written(
        [property: JsonPropertyName("role"), JsonPropertyOrder(0)] string Role,
        [property: JsonPropertyName("type"), JsonPropertyOrder(1)] string Type,
        [property: JsonPropertyName("uuid"), JsonPropertyOrder(2)] string Uuid,
        [property: JsonPropertyName("manifestFingerprint"), JsonPropertyOrder(3)] string ManifestFingerprint)
    {
        [JsonPropertyName("modes"), JsonPropertyOrder(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public Dictionary<string, string>? Modes { get; init; }
    }
}

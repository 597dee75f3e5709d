using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Rest;

namespace Cloister.Protocol.Trust;

/// <summary>
/// The runtime data of a workload's evidence: what it says it is, and under which manifest it was (or asks to be) activated.
/// Written as JSON with these members in this order (docs/wire.md).
/// </summary>
/// <param name="Type">Marble type.</param>
/// <param name="Uuid">Its instance, canonical: lower case with dashes.</param>
/// <param name="ManifestFingerprint">64 lower-case hex digits.</param>
public sealed record WorkloadStatement(
    [property: JsonPropertyName("type"), JsonPropertyOrder(1)] string Type,
    [property: JsonPropertyName("uuid"), JsonPropertyOrder(2)] string Uuid,
    [property: JsonPropertyName("manifestFingerprint"), JsonPropertyOrder(3)] string ManifestFingerprint)
{
    /// <summary>Always <c>workload</c>.</summary>
    [JsonPropertyName("role"), JsonPropertyOrder(0), JsonRequired]
    public string Role { get; init; } = "workload";

    /// <summary>By model: its mode, a word of <see cref="ModelModes"/>. Of the models that the workload holds, those whose mode the manifest states.</summary>
    [JsonIgnore]
    public ImmutableSortedDictionary<string, string> Modes { get; init; } = ManifestDocument.Names.Empty<string>();

    // Absent where there is none: statements without modes have the bytes that they always had.
    [JsonInclude, JsonPropertyName("modes"), JsonPropertyOrder(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    internal IReadOnlyDictionary<string, string>? StatedModes
    {
        get => Modes.IsEmpty ? null : Modes;
        init => Modes = ManifestDocument.Names.Empty<string>().AddRange(value ?? ManifestDocument.Names.Empty<string>());
    }

    /// <summary>Largest statement in bytes: half of what evidence holds.</summary>
    public const int MaxBytes = 32 << 10;

    /// <summary>Whether both say the same.</summary>
    public bool Equals(WorkloadStatement? other) => other is not null
        && Role == other.Role && Type == other.Type && Uuid == other.Uuid && ManifestFingerprint == other.ManifestFingerprint && Modes.SequenceEqual(other.Modes);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Role, Type, Uuid, ManifestFingerprint, Modes.Count);

    /// <summary>Writes the statement.</summary>
    public byte[] ToBytes() => RestJson.Write(this, StatementJson.Strict.WorkloadStatement);

    /// <summary>Reads a statement.</summary>
    /// <exception cref="ProtocolException">It is not one: unknown, missing or repeated members, another role, a wrong digest or UUID.</exception>
    public static WorkloadStatement Read(ReadOnlySpan<byte> json)
    {
        WorkloadStatement statement = RestJson.Read(json, StatementJson.Strict.WorkloadStatement, MaxBytes);
        StatementJson.Require(statement.Role == "workload", "role", "is not 'workload'");
        StatementJson.Require(statement.Type.Length is > 0 and <= MarbleExtension.MaxBytes, "type", "is empty or too long");
        StatementJson.Require(Guid.TryParseExact(statement.Uuid, "D", out Guid uuid) && uuid.ToString("D") == statement.Uuid, "uuid", "is not a canonical UUID");
        StatementJson.Require(Manifest.ManifestFingerprint.IsValid(statement.ManifestFingerprint), "manifestFingerprint", "is not 64 lower-case hex digits");
        foreach ((string model, string mode) in statement.Modes)
            StatementJson.Require(model.Length > 0 && ModelModes.All.Contains(mode), "modes", "names a model without a name, or a mode that there is not");
        return statement;
    }

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
}

using System.Text.Json.Serialization;
using Cloister.Protocol.Rest;

namespace Cloister.Protocol.Trust;

/// <summary>
/// The runtime data of a coordinator's evidence: which manifest is in force and which certificates are its own.
/// Written as JSON with these members in this order (docs/wire.md).
/// </summary>
/// <param name="ManifestFingerprint">64 lower-case hex digits, or empty before a manifest is set.</param>
/// <param name="Root">SHA-256 of the root certificate's DER, hex.</param>
/// <param name="Intermediate">SHA-256 of the intermediate certificate's DER, hex.</param>
/// <param name="MarbleRoot">SHA-256 of the marble root certificate's DER, hex.</param>
public sealed record CoordinatorStatement(
    [property: JsonPropertyName("manifestFingerprint"), JsonPropertyOrder(1)] string ManifestFingerprint,
    [property: JsonPropertyName("root"), JsonPropertyOrder(2)] string Root,
    [property: JsonPropertyName("intermediate"), JsonPropertyOrder(3)] string Intermediate,
    [property: JsonPropertyName("marbleRoot"), JsonPropertyOrder(4)] string MarbleRoot)
{
    /// <summary>Always <c>coordinator</c>.</summary>
    [JsonPropertyName("role"), JsonPropertyOrder(0), JsonRequired]
    public string Role { get; init; } = "coordinator";

    /// <summary>Largest statement in bytes.</summary>
    public const int MaxBytes = 1024;

    /// <summary>Writes the statement.</summary>
    public byte[] ToBytes() => RestJson.Write(this, StatementJson.Strict.CoordinatorStatement);

    /// <summary>Reads a statement.</summary>
    /// <exception cref="ProtocolException">It is not one: unknown, missing or repeated members, another role, a wrong digest.</exception>
    public static CoordinatorStatement Read(ReadOnlySpan<byte> json)
    {
        CoordinatorStatement statement = RestJson.Read(json, StatementJson.Strict.CoordinatorStatement, MaxBytes);
        StatementJson.Require(statement.Role == "coordinator", "role", "is not 'coordinator'");
        StatementJson.Require(statement.ManifestFingerprint.Length == 0 || IsDigest(statement.ManifestFingerprint), "manifestFingerprint", "is neither empty nor 64 lower-case hex digits");
        StatementJson.Require(IsDigest(statement.Root), "root", "is not 64 lower-case hex digits");
        StatementJson.Require(IsDigest(statement.Intermediate), "intermediate", "is not 64 lower-case hex digits");
        StatementJson.Require(IsDigest(statement.MarbleRoot), "marbleRoot", "is not 64 lower-case hex digits");
        return statement;
    }

    private static bool IsDigest(string text) => Manifest.ManifestFingerprint.IsValid(text);

    /// <summary>Fuzz target: what is read writes and reads back the same.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        try
        {
            CoordinatorStatement statement = Read(data);
            if (Read(statement.ToBytes()) != statement) throw new InvalidOperationException("A statement did not survive being written.");
        }
        catch (ProtocolException)
        {
            // The documented refusal.
        }
    }
}

using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Cloister.Attestation;

namespace Cloister.Tests.Corpus;

/// <summary>Reads the shared cases (cases.json); each case keeps its parts as JSON, for every kind has other ones.</summary>
internal static class CaseCorpus
{
    private static readonly Lazy<ImmutableArray<AttestationCase>> All = new(Load);

    public static ImmutableArray<AttestationCase> OfKind(string tee) => [.. All.Value.Where(one => one.Tee == tee)];

    private static ImmutableArray<AttestationCase> Load()
    {
        string folder = TestData.Path("attestation");
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "cases.json")));
        return [.. document.RootElement.GetProperty("cases").EnumerateArray().Select(one => new AttestationCase(one.Clone(), folder))];
    }
}

/// <summary>One case: when, from what, asked what, and what must come out.</summary>
internal sealed class AttestationCase(JsonElement json, string folder)
{
    public string Id { get; } = json.GetProperty("id").GetString()!;

    public string Tee { get; } = json.GetProperty("tee").GetString()!;

    public string Origin { get; } = json.GetProperty("origin").GetString()!;

    public string Note { get; } = json.TryGetProperty("note", out JsonElement note) ? note.GetString() ?? "" : "";

    /// <summary>The verifier's clock; null means an explicit "no time check".</summary>
    public VerificationTime Time { get; } = json.GetProperty("now").GetString() is { } now
        ? VerificationTime.At(DateTimeOffset.Parse(now, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal))
        : VerificationTime.NoTimeCheck;

    public JsonElement Files { get; } = json.GetProperty("files");

    public JsonElement Inputs { get; } = json.GetProperty("inputs");

    public JsonElement Policy { get; } = json.GetProperty("policy");

    public JsonElement Expect { get; } = json.GetProperty("expect");

    public bool ExpectedOk => Expect.GetProperty("ok").GetBoolean();

    /// <summary>The token of the first check that must fail; null where none is stated.</summary>
    public string? ExpectedCheck => Expect.TryGetProperty("check", out JsonElement check) ? check.GetString() : null;

    /// <summary>The bytes of a file of the case; null where the case does not supply it.</summary>
    public byte[]? File(string name) => Files.TryGetProperty(name, out JsonElement path) ? Read(path) : null;

    /// <summary>The bytes of the files in a map of the case (such as <c>ocsp</c>); a value is null where it is not supplied.</summary>
    public ImmutableDictionary<string, byte[]?> FileMap(string name) => Files.TryGetProperty(name, out JsonElement map) && map.ValueKind == JsonValueKind.Object
        ? map.EnumerateObject().ToImmutableDictionary(one => one.Name, one => Read(one.Value))
        : [];

    /// <summary>An input in hexadecimal digits; null where the case does not state it.</summary>
    public string? Input(string name) => Inputs.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public bool Flag(string name, bool otherwise) => Policy.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : otherwise;

    public override string ToString() => Id;

    private byte[]? Read(JsonElement path) => path.ValueKind == JsonValueKind.String ? System.IO.File.ReadAllBytes(Path.Combine(folder, path.GetString()!)) : null;
}

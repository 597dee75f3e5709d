using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Attestation;

namespace Cloister.Cli.Attest.Cases;

/// <summary>One case: when, from what, asked what, and what must come out. Members that a case lacks are empty.</summary>
/// <param name="json">The case.</param>
/// <param name="folder">Its files' paths are relative to this folder.</param>
internal sealed class AttestationCase(JsonElement json, string folder)
{
    private const int MaximumFile = 8 << 20;

    public string Id { get; } = Text(json, "id") ?? "";

    /// <summary>Its kind, such as <c>snp</c>.</summary>
    public string Tee { get; } = Text(json, "tee") ?? throw new FormatException("The case does not say its kind ('tee').");

    public string Origin { get; } = Text(json, "origin") ?? "";

    public string Note { get; } = Text(json, "note") ?? "";

    /// <summary>The verifier's clock; null means an explicit "no time check".</summary>
    public VerificationTime Time { get; init; } = !json.TryGetProperty("now", out JsonElement now) ? throw new FormatException("The case does not say its time ('now').")
        : now.GetString() is { } text ? VerificationTime.At(DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)) : VerificationTime.NoTimeCheck;

    public JsonElement Files { get; } = Member(json, "files");

    public JsonElement Inputs { get; init; } = Member(json, "inputs");

    public JsonElement Policy { get; } = Member(json, "policy");

    public JsonElement Expect { get; } = Member(json, "expect");

    public bool ExpectedOk => Expect.GetProperty("ok").GetBoolean();

    /// <summary>The token of the first check that must fail; null where none is stated.</summary>
    public string? ExpectedCheck => Text(Expect, "check");

    /// <summary>The bytes of a file of the case; null where the case does not supply it.</summary>
    public byte[]? File(string name) => Files.TryGetProperty(name, out JsonElement path) ? Read(path) : null;

    /// <summary>The bytes of a file of the case.</summary>
    /// <exception cref="FormatException">The case does not supply it.</exception>
    public byte[] NeededFile(string name) => File(name) ?? throw new FormatException($"The case has no file '{name}'.");

    /// <summary>The bytes of the files in a map of the case (such as <c>ocsp</c>); a value is null where it is not supplied.</summary>
    public ImmutableDictionary<string, byte[]?> FileMap(string name) => Files.TryGetProperty(name, out JsonElement map) && map.ValueKind == JsonValueKind.Object
        ? map.EnumerateObject().ToImmutableDictionary(one => one.Name, one => Read(one.Value))
        : [];

    /// <summary>An input in hexadecimal digits; null where the case does not state it.</summary>
    public string? Input(string name) => Text(Inputs, name);

    public bool Flag(string name, bool otherwise) => Policy.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : otherwise;

    /// <summary>The same case, asked for another nonce or report data.</summary>
    public AttestationCase Asking(string hex)
    {
        JsonObject inputs = JsonObject.Create(Inputs) ?? [];
        inputs[Tee == "tpm" ? "nonce" : "report_data"] = hex;
        return new AttestationCase(json, folder) { Time = Time, Inputs = JsonElement.Parse(inputs.ToJsonString()) };
    }

    public override string ToString() => Id;

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement Member(JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Object ? value : JsonElement.Parse("{}");

    private byte[]? Read(JsonElement path)
    {
        if (path.ValueKind != JsonValueKind.String) return null;
        var file = new FileInfo(Path.Combine(folder, path.GetString()!));
        return !file.Exists || file.Length <= MaximumFile ? System.IO.File.ReadAllBytes(file.FullName) : throw new IOException($"'{file.FullName}' has more than {MaximumFile:N0} bytes.");
    }
}

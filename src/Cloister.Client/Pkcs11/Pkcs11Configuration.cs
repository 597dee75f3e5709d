using System.Globalization;
using System.Text.Json;
using Cloister.Sealing;

namespace Cloister.Client.Pkcs11;

/// <summary>
/// Which token, and its PIN: the JSON document that MarbleRun's CLI takes (crypto11's), with <c>Path</c>, one of
/// <c>TokenLabel</c>, <c>TokenSerial</c> and <c>SlotNumber</c>, and <c>Pin</c>. Names may be in any case; other members, which
/// tune that library, are ignored.
/// </summary>
public sealed class Pkcs11Configuration : IDisposable
{
    /// <summary>Largest document in bytes.</summary>
    public const int MaxBytes = 64 << 10;

    /// <summary>The module: the path of the token vendor's library.</summary>
    public required string Path { get; init; }

    /// <summary>The token's label.</summary>
    public string? TokenLabel { get; init; }

    /// <summary>The token's serial number.</summary>
    public string? TokenSerial { get; init; }

    /// <summary>The token's slot.</summary>
    public ulong? SlotNumber { get; init; }

    /// <summary>The user's PIN; null where the token has a keypad of its own or wants none.</summary>
    public SecretBytes? Pin { get; init; }

    /// <summary>Whether the token is used without logging in.</summary>
    public bool LoginNotSupported { get; init; }

    /// <summary>Reads the document.</summary>
    /// <param name="json">UTF-8. It may hold the PIN: the caller wipes it.</param>
    /// <param name="pin">The PIN where the document has none; null if there is none.</param>
    /// <exception cref="Pkcs11Exception"><see cref="Pkcs11Error.ConfigurationMalformed"/>; the text never repeats a value.</exception>
    public static Pkcs11Configuration Read(ReadOnlySpan<byte> json, ReadOnlySpan<byte> pin = default)
    {
        if (json.Length > MaxBytes)
            throw Malformed($"it has {json.Length} bytes; at most {MaxBytes} are read");
        string? path = null, label = null, serial = null;
        ulong? slot = null;
        bool noLogin = false;
        SecretBytes? given = null;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw Malformed("it is no JSON object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                string name = reader.GetString()!.ToUpperInvariant();
                reader.Read();
                switch (name)
                {
                    case "PATH": path = Text(ref reader, "Path"); break;
                    case "TOKENLABEL": label = Text(ref reader, "TokenLabel"); break;
                    case "TOKENSERIAL": serial = Text(ref reader, "TokenSerial"); break;
                    case "SLOTNUMBER": slot = Number(ref reader); break;
                    case "LOGINNOTSUPPORTED": noLogin = reader.TokenType == JsonTokenType.True; break;
                    case "PIN":
                        given?.Dispose();
                        given = Secret(ref reader);
                        break;
                    default: reader.Skip(); break;
                }
            }
            if (reader.TokenType != JsonTokenType.EndObject || reader.Read())
                throw Malformed("it is no JSON object");
            if (string.IsNullOrEmpty(path))
                throw Malformed("Path, the module's file, is missing");
            if ((label is null ? 0 : 1) + (serial is null ? 0 : 1) + (slot is null ? 0 : 1) != 1)
                throw Malformed("exactly one of TokenLabel, TokenSerial and SlotNumber names the token");
            given ??= pin.IsEmpty ? null : SecretBytes.Copy(pin);
            return new Pkcs11Configuration { Path = path, TokenLabel = label, TokenSerial = serial, SlotNumber = slot, Pin = given, LoginNotSupported = noLogin };
        }
        catch (Exception error)
        {
            given?.Dispose();
            if (error is JsonException or InvalidOperationException)
                throw Malformed("it is no JSON of this form");
            throw;
        }
    }

    private static string? Text(ref Utf8JsonReader reader, string member) => reader.TokenType switch
    {
        JsonTokenType.Null => null,
        JsonTokenType.String => reader.GetString() is { Length: > 0 } text ? text : null,
        _ => throw Malformed($"{member} is no text"),
    };

    private static ulong? Number(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.Null => null,
        JsonTokenType.Number when reader.TryGetUInt64(out ulong slot) => slot,
        _ => throw Malformed("SlotNumber is no whole number"),
    };

    private static SecretBytes? Secret(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return null;
        if (reader.TokenType != JsonTokenType.String)
            throw Malformed("Pin is no text");
        Span<byte> text = stackalloc byte[256];
        if (reader.ValueSpan.Length > text.Length)
            throw Malformed(string.Create(CultureInfo.InvariantCulture, $"Pin is longer than {text.Length} bytes"));
        try
        {
            int length = reader.CopyString(text);
            return length == 0 ? null : SecretBytes.Copy(text[..length]);
        }
        finally
        {
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(text);
        }
    }

    private static Pkcs11Exception Malformed(string why) => new(Pkcs11Error.ConfigurationMalformed,
        $"The PKCS#11 configuration is not usable: {why}. It looks like {{\"Path\": \"/usr/lib/softhsm/libsofthsm2.so\", \"TokenLabel\": \"my-token\", \"Pin\": \"...\"}}.");

    /// <summary>Wipes the PIN.</summary>
    public void Dispose() => Pin?.Dispose();

    /// <summary>Fuzz target: any bytes are a configuration or a <see cref="Pkcs11Exception"/>.</summary>
    public static void Fuzz(ReadOnlySpan<byte> json)
    {
        try
        {
            Read(json).Dispose();
        }
        catch (Pkcs11Exception refused) when (refused.Error == Pkcs11Error.ConfigurationMalformed)
        {
            // The documented refusal.
            return;
        }
    }
}

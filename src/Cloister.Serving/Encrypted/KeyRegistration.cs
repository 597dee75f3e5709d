using System.Text;
using Cloister.Homomorphic.Wire;
using Cloister.Serving.Json;

namespace Cloister.Serving.Encrypted;

/// <summary>The documents of a registration: a key id comes, and what its envelopes are sealed with goes.</summary>
internal static class KeyRegistration
{
    /// <summary>The largest request, in bytes.</summary>
    public const int MaximumBytes = 4 << 10;

    /// <summary>Reads <c>{"keyId": "32 hexadecimal digits"}</c>.</summary>
    /// <exception cref="ServingException">It is something else.</exception>
    public static KeyId Read(ReadOnlySpan<byte> json)
    {
        var cursor = new JsonCursor(json);
        var seen = new MemberSet();
        KeyId? id = null;
        cursor.OpenObject("the request");
        while (cursor.NextMember(out ReadOnlySpan<byte> name))
        {
            if (!seen.Adds(ref cursor, name, 0, "keyId"u8)) throw cursor.Invalid($"member '{Shorten(name)}' is unknown; known is keyId");
            id = KeyId.TryParse(cursor.ReadText("'keyId'", 2 * KeyId.Size), out KeyId read) ? read : throw cursor.Invalid($"'keyId' is not {2 * KeyId.Size} hexadecimal digits in lower case");
        }
        cursor.End();
        return id ?? throw cursor.Invalid("'keyId' is missing");
    }

    /// <summary>Writes the answer; it holds the envelope key, so its buffer is cleared when it is disposed.</summary>
    public static void Write(JsonOutput json, KeyId keyId, ReadOnlySpan<byte> owner, EnvelopeKey key, DateTimeOffset expires) => json
        .Raw("{\"keyId\":"u8).Text(keyId.ToString())
        .Raw(",\"owner\":"u8).Text(Convert.ToHexStringLower(owner))
        .Raw(",\"envelopeKey\":"u8).Base64Of(key.Span)
        .Raw(",\"expires\":"u8).Text(expires.ToString("O", System.Globalization.CultureInfo.InvariantCulture))
        .Raw("}"u8);

    internal static void Fuzz(ReadOnlySpan<byte> json)
    {
        try
        {
            Read(json);
        }
        catch (ServingException refusal) when (refusal.Error is ServingError.MalformedJson or ServingError.InvalidRequest)
        {
            // The documented refusals.
        }
    }

    private static string Shorten(ReadOnlySpan<byte> name) => Encoding.UTF8.GetString(name.Length <= 64 ? name : name[..64]);
}

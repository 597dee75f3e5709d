using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Cloister.Homomorphic.Wire;

namespace Cloister.Client;

/// <summary>What a server gives for a key id: whom it takes the caller for, and what envelopes are sealed with.</summary>
/// <param name="Owner">32 bytes.</param>
/// <param name="Key">The envelope key; zeroed with this.</param>
/// <param name="Expires">When it ends at the latest.</param>
internal sealed record RegisteredKey(byte[] Owner, EnvelopeKey Key, DateTimeOffset Expires) : IDisposable
{
    /// <summary>The largest answer, in bytes.</summary>
    public const int MaximumBytes = 4 << 10;

    public static byte[] WriteRequest(KeyId id) => System.Text.Encoding.UTF8.GetBytes($$"""{"keyId":"{{id}}"}""");

    /// <summary>Reads <c>{"keyId": hex, "owner": hex, "envelopeKey": base64, "expires": time}</c>.</summary>
    /// <exception cref="ClientException"><see cref="ClientError.AnswerMalformed"/>.</exception>
    public static RegisteredKey Read(ReadOnlySpan<byte> json, KeyId id)
    {
        byte[]? owner = null, key = null;
        DateTimeOffset? expires = null;
        bool named = false;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 2 });
            Require(reader.Read() && reader.TokenType == JsonTokenType.StartObject);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                string member = reader.GetString()!;
                Require(reader.Read() && reader.TokenType == JsonTokenType.String);
                switch (member)
                {
                    case "keyId":
                        Require(!named && KeyId.TryParse(reader.GetString(), out KeyId given) && given == id);
                        named = true;
                        break;
                    case "owner":
                        Require(owner is null);
                        owner = Convert.FromHexString(reader.GetString()!);
                        break;
                    case "envelopeKey":
                        Require(key is null);
                        key = reader.GetBytesFromBase64();
                        break;
                    case "expires":
                        Require(expires is null && DateTimeOffset.TryParseExact(reader.GetString(), "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out _));
                        expires = DateTimeOffset.ParseExact(reader.GetString()!, "O", CultureInfo.InvariantCulture);
                        break;
                    default:
                        throw new FormatException();
                }
            }
            Require(reader.TokenType == JsonTokenType.EndObject && !reader.Read() && named && expires is not null);
            Require(owner is { Length: Envelope.OwnerSize } && key is { Length: EnvelopeKey.Size });
            return new RegisteredKey(owner!, new EnvelopeKey(key), expires!.Value);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            // Not e: its text may quote the document, which holds the key.
            throw new ClientException(ClientError.AnswerMalformed, "The answer to the registration of a key is not the document that was asked for: keyId, owner, envelopeKey and expires.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static void Require(bool holds)
    {
        if (!holds) throw new FormatException();
    }

    public void Dispose() => Key.Dispose();

    /// <summary>Fuzz target: any bytes are a registration, or refused with a <see cref="ClientException"/>.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Read(bytes, default).Dispose();
        }
        catch (ClientException e) when (e.Error == ClientError.AnswerMalformed)
        {
            // The documented refusal.
            return;
        }
    }
}

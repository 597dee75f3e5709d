using System.Buffers;
using System.Buffers.Text;

namespace Cloister.Serving.Json;

/// <summary>Bytes that travel in JSON as base64.</summary>
internal static class Base64Text
{
    /// <summary>TF Serving's <c>{"b64": "..."}</c>: one member, a string.</summary>
    /// <exception cref="ServingException">The value is not that.</exception>
    public static byte[] ReadObject(ref JsonCursor cursor, string name)
    {
        int at = cursor.Position;
        cursor.OpenObject("the value");
        if (!cursor.NextMember(out ReadOnlySpan<byte> member) || !member.SequenceEqual("b64"u8) || cursor.Peek() != JsonKind.String)
            throw Refused(name, "an object must be {\"b64\": \"...\"}", at);
        byte[] bytes = Decode(cursor.ReadString(), name, at);
        return cursor.NextMember(out _) ? throw Refused(name, "an object must be {\"b64\": \"...\"}", at) : bytes;
    }

    /// <summary>Decodes standard base64.</summary>
    /// <exception cref="ServingException">The text is not base64.</exception>
    public static byte[] Decode(ReadOnlySpan<byte> text, string name, int at)
    {
        byte[] bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        return Base64.DecodeFromUtf8(text, bytes, out _, out int written) == OperationStatus.Done
            ? bytes[..written]
            : throw Refused(name, "the text is not base64", at);
    }

    private static ServingException Refused(string name, string reason, int at) =>
        new(ServingError.WrongType, $"Input '{name}': {reason} (byte {at}).");
}

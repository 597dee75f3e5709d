using System.Buffers.Text;
using System.Security.Cryptography;
using Cloister.Protocol.Manifest;

namespace Cloister.Protocol.Templates;

/// <summary>Finds an action's data and writes it as its function says.</summary>
internal static class TemplateFunctions
{
    public static byte[] Apply(TemplateAction action, TemplateData data)
    {
        (ReadOnlyMemory<byte> bytes, string type) = Find(action, data);
        return action.Function switch
        {
            "pem" => Pem(action, bytes.Span),
            "hex" => Hex(bytes.Span),
            "base64" => Base64Text(bytes.Span),
            "string" => Text(action, type, bytes.Span),
            _ => bytes.ToArray(),
        };
    }

    private static (ReadOnlyMemory<byte> Bytes, string Type) Find(TemplateAction action, TemplateData data)
    {
        switch (action.Root)
        {
            case TemplateRoot.MarbleRoot: return (Certificate(action, data.MarbleRoot), "");
            case TemplateRoot.CoordinatorRoot: return (Certificate(action, data.CoordinatorRoot), "");
            case TemplateRoot.CoordinatorIntermediate: return (Certificate(action, data.CoordinatorIntermediate), "");
            case TemplateRoot.MarbleCertificate:
                return (Part(action, data.MarbleCertificate ?? throw Missing(action, "there is no marble certificate here")), "");
            default:
                if (!data.Secrets.TryGet(action.Secret!, out TemplateSecret? secret)) throw Missing(action, "secret does not exist");
                return secret.Value is null
                    ? throw new ProtocolException(ProtocolError.TemplateSecretUnset, action.Secret!, $"the secret is not set yet (line {action.Line}).")
                    : (Part(action, secret), secret.Type);
        }
    }

    private static ReadOnlyMemory<byte> Part(TemplateAction action, TemplateSecret secret)
    {
        bool isKey = secret.Type is ManifestSecretTypes.SymmetricKey or ManifestSecretTypes.Plain;
        ReadOnlyMemory<byte> part = action.Member switch
        {
            TemplateMember.Whole or TemplateMember.Public => secret.Value!.Public,
            TemplateMember.Private => secret.Value!.Private,
            _ when isKey => throw WrongType(action, $"a {secret.Type} secret has no certificate"),
            _ => secret.Value!.Certificate,
        };
        return part.IsEmpty && !isKey ? throw Missing(action, "it is not available here") : part;
    }

    private static ReadOnlyMemory<byte> Certificate(TemplateAction action, ReadOnlyMemory<byte> der) =>
        der.IsEmpty ? throw Missing(action, "it is not available here") : der;

    private static byte[] Pem(TemplateAction action, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> label = action.Member switch
        {
            TemplateMember.Certificate => "CERTIFICATE"u8,
            TemplateMember.Public => "PUBLIC KEY"u8,
            TemplateMember.Private => "PRIVATE KEY"u8,
            _ => throw WrongType(action, "pem writes .Cert, .Public or .Private, not a whole secret"),
        };
        byte[] text = new byte[PemEncoding.GetEncodedSize(label.Length, bytes.Length) + 1];
        PemEncoding.TryWriteUtf8(label, bytes, text, out int written);
        text[written] = (byte)'\n';
        return text;
    }

    private static byte[] Text(TemplateAction action, string type, ReadOnlySpan<byte> bytes)
    {
        if (type != ManifestSecretTypes.Plain || action.Member != TemplateMember.Whole) throw WrongType(action, "only secrets of type plain can be written as a string");
        if (bytes.Contains((byte)0)) throw WrongType(action, "the secret contains a null byte");
        return bytes.ToArray();
    }

    // No strings: what is written may be secret, and only arrays can be cleared.
    private static byte[] Hex(ReadOnlySpan<byte> bytes)
    {
        byte[] text = new byte[bytes.Length * 2];
        Convert.TryToHexStringLower(bytes, text, out _);
        return text;
    }

    private static byte[] Base64Text(ReadOnlySpan<byte> bytes)
    {
        byte[] text = new byte[Base64.GetMaxEncodedToUtf8Length(bytes.Length)];
        Base64.EncodeToUtf8(bytes, text, out _, out _);
        return text;
    }

    private static ProtocolException Missing(TemplateAction action, string reason) => Error(ProtocolError.TemplateMissingData, action, reason);

    private static ProtocolException WrongType(TemplateAction action, string reason) => Error(ProtocolError.TemplateWrongType, action, reason);

    private static ProtocolException Error(ProtocolError error, TemplateAction action, string reason) =>
        new(error, $"template: data:{action.Line}", $"executing <{action.Function} {action.Source}>: {reason}");
}

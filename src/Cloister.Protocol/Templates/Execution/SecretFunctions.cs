using System.Buffers.Text;
using System.Security.Cryptography;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Templates.Values;

namespace Cloister.Protocol.Templates.Execution;

/// <summary>MarbleRun's functions: pem, hex, raw, base64 in files; pem, hex, base64, string in variables. What they write stays in buffers that are cleared.</summary>
internal static class SecretFunctions
{
    private static readonly Function s_pem = Of(Pem);
    private static readonly Function s_hex = Of((budget, value) => Text(budget, Hex(budget, Raw(value))));
    private static readonly Function s_base64 = Of((budget, value) => Text(budget, Base64Of(budget, Raw(value))));

    public static KeyValuePair<string, Function>[] OfFiles { get; } =
        [new("pem", s_pem), new("hex", s_hex), new("base64", s_base64), new("raw", Of((_, value) => new GoString(Raw(value)) { IsSecret = true }))];

    public static KeyValuePair<string, Function>[] OfVariables { get; } =
        [new("pem", s_pem), new("hex", s_hex), new("base64", s_base64), new("string", Of((_, value) => String(value)))];

    private static Function Of(Func<WorkBudget, TemplateValue?, TemplateValue> write) => new([GoParameter.Any], false, (budget, values) => write(budget, values[0]));

    private static GoString Text(WorkBudget budget, byte[] text)
    {
        budget.Step(text.Length / 16);
        return new GoString(text) { IsSecret = true };
    }

    private static GoString Pem(WorkBudget budget, TemplateValue? value)
    {
        (string label, ReadOnlyMemory<byte> bytes) = value switch
        {
            CertificateStruct certificate => ("CERTIFICATE", certificate.Raw),
            GoBytes key when key.Type == SecretValues.PublicKey => ("PUBLIC KEY", key.Bytes),
            GoBytes key when key.Type == SecretValues.PrivateKey => ("PRIVATE KEY", key.Bytes),
            null => throw Missing(),
            _ => throw new GoCallException("invalid secret type for pem encoding"),
        };
        if (bytes.IsEmpty) throw Empty();
        WorkBudget.RequireSize(bytes.Length * 2L);
        byte[] text = budget.Buffer(PemEncoding.GetEncodedSize(label.Length, bytes.Length) + 1);
        PemEncoding.TryWriteUtf8(System.Text.Encoding.ASCII.GetBytes(label), bytes.Span, text, out int written);
        text[written] = (byte)'\n';
        return Text(budget, text);
    }

    private static GoString String(TemplateValue? value)
    {
        switch (value)
        {
            case null: throw Missing();
            case SecretStruct { SecretType: ManifestSecretTypes.Plain } secret:
                ReadOnlyMemory<byte> bytes = Raw(secret);
                return bytes.Span.Contains((byte)0) ? throw new GoCallException("secret contains null bytes") : new GoString(bytes) { IsSecret = true };
            default: throw new GoCallException("only secrets of type plain are allowed to use string encoding for environment variables");
        }
    }

    private static ReadOnlyMemory<byte> Raw(TemplateValue? value)
    {
        ReadOnlyMemory<byte> raw = value switch
        {
            SecretStruct secret => secret.Whole,
            CertificateStruct certificate => certificate.Raw,
            GoBytes bytes when bytes.Type == GoType.Bytes || bytes.Type == SecretValues.PublicKey || bytes.Type == SecretValues.PrivateKey => bytes.Bytes,
            null => throw Missing(),
            _ => throw new GoCallException("invalid secret type"),
        };
        return raw.IsEmpty ? throw Empty() : raw;
    }

    private static byte[] Hex(WorkBudget budget, ReadOnlyMemory<byte> bytes)
    {
        WorkBudget.RequireSize(bytes.Length * 2L);
        byte[] text = budget.Buffer(bytes.Length * 2);
        Convert.TryToHexStringLower(bytes.Span, text, out _);
        return text;
    }

    private static byte[] Base64Of(WorkBudget budget, ReadOnlyMemory<byte> bytes)
    {
        WorkBudget.RequireSize(bytes.Length * 2L);
        byte[] text = budget.Buffer(Base64.GetMaxEncodedToUtf8Length(bytes.Length));
        Base64.EncodeToUtf8(bytes.Span, text, out _, out _);
        return text;
    }

    private static GoCallException Missing() => new(ProtocolError.TemplateMissingData, "secret does not exist");

    private static GoCallException Empty() => new(ProtocolError.TemplateMissingData, "tried to parse secret with empty value");
}

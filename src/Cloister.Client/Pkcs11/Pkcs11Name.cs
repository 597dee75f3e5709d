using System.Text;

namespace Cloister.Client.Pkcs11;

/// <summary>How an object of a token is named: by id, by label, or by both.</summary>
/// <param name="Id">CKA_ID; null for any.</param>
/// <param name="Label">CKA_LABEL; null for any.</param>
public sealed record Pkcs11Name(ReadOnlyMemory<byte>? Id, string? Label)
{
    private const string HexPrefix = "hex:";

    /// <summary>A name as it is written on a command line.</summary>
    /// <param name="id">The id's bytes as text, as MarbleRun takes them, or <c>hex:</c> and hexadecimal digits for ids that are no text.</param>
    /// <param name="label">The label.</param>
    /// <exception cref="Pkcs11Exception"><see cref="Pkcs11Error.ConfigurationMalformed"/>: neither is given, or the digits are none.</exception>
    public static Pkcs11Name Of(string? id, string? label)
    {
        if (string.IsNullOrEmpty(id) && string.IsNullOrEmpty(label))
            throw new Pkcs11Exception(Pkcs11Error.ConfigurationMalformed, "An object of a token is named by its id or its label.");
        return new Pkcs11Name(string.IsNullOrEmpty(id) ? (ReadOnlyMemory<byte>?)null : Bytes(id), string.IsNullOrEmpty(label) ? null : label);
    }

    private static ReadOnlyMemory<byte> Bytes(string id)
    {
        if (!id.StartsWith(HexPrefix, StringComparison.Ordinal))
            return Encoding.UTF8.GetBytes(id);
        string digits = id[HexPrefix.Length..];
        return digits.Length % 2 == 0 && digits.Length > 0 && digits.All(char.IsAsciiHexDigit)
            ? Convert.FromHexString(digits)
            : throw new Pkcs11Exception(Pkcs11Error.ConfigurationMalformed, $"'{id}' is no id: after {HexPrefix} come pairs of hexadecimal digits.");
    }

    internal List<(ulong Type, byte[] Value)> Attributes(ulong kind)
    {
        List<(ulong Type, byte[] Value)> attributes = [(Cryptoki.CKA_CLASS, AttributeTemplate.Word(kind))];
        if (Id is { } id)
            attributes.Add((Cryptoki.CKA_ID, id.ToArray()));
        if (Label is not null)
            attributes.Add((Cryptoki.CKA_LABEL, Encoding.UTF8.GetBytes(Label)));
        return attributes;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(" and ", new[]
    {
        Id is { } id ? "id " + HexPrefix + Convert.ToHexStringLower(id.Span) : null,
        Label is null ? null : $"label '{Label}'",
    }.OfType<string>());
}

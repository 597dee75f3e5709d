using System.Collections.Frozen;

namespace Cloister.Protocol.Templates.Values;

/// <summary>MarbleRun's types as templates see them: manifest.TemplateSecrets and what it holds.</summary>
internal static class SecretValues
{
    public static readonly GoType PrivateKey = new("manifest.PrivateKey", TemplateValueKind.Slice) { Element = "uint8" };
    public static readonly GoType PublicKey = new("manifest.PublicKey", TemplateValueKind.Slice) { Element = "uint8" };

    public static readonly GoType Secret = new("manifest.Secret", TemplateValueKind.Struct)
    {
        Fields =
        [
            new("Type", "string"), new("Size", "uint"), new("Shared", "bool"), new("UserDefined", "bool"), new("Cert", "manifest.Certificate"),
            new("ValidFor", "uint"), new("Private", "manifest.PrivateKey"), new("Public", "manifest.PublicKey"),
        ],
        IsComparable = false,
        Methods = new Dictionary<string, GoMethod>
        {
            ["Equal"] = SecretMethod((one, other) => one.HasDefinitionOf(other) && one.HasValueOf(other)),
            ["EqualDefinition"] = SecretMethod((one, other) => one.HasDefinitionOf(other)),
        }.ToFrozenDictionary(),
    };

    public static readonly GoType Secrets = new("map[string]manifest.Secret", TemplateValueKind.Map) { Element = "manifest.Secret" };

    private static readonly GoType s_reserved = new("manifest.ReservedSecrets", TemplateValueKind.Struct)
    {
        Fields = [new("RootCA", "manifest.Secret"), new("MarbleCert", "manifest.Secret"), new("CoordinatorRoot", "manifest.Secret"), new("CoordinatorIntermediate", "manifest.Secret")],
        IsComparable = false,
    };

    private static readonly GoType s_wrapper = new("manifest.SecretsWrapper", TemplateValueKind.Struct)
    {
        Fields = [new("MarbleRun", "manifest.ReservedSecrets"), new("Secrets", "map[string]manifest.Secret")],
        IsComparable = false,
    };

    private static readonly GoType s_previous = new("struct { Secrets map[string]manifest.Secret }", TemplateValueKind.Struct)
    {
        Fields = [new("Secrets", "map[string]manifest.Secret")],
        IsComparable = false,
    };

    private static readonly GoType s_root = new("manifest.TemplateSecrets", TemplateValueKind.Struct)
    {
        Fields = [new("SecretsWrapper", "manifest.SecretsWrapper"), new("Previous", "struct { Secrets map[string]manifest.Secret }")],
        IsComparable = false,
    };

    /// <summary>The template's data.</summary>
    public static TemplateValue Root(TemplateData data)
    {
        var secrets = new SecretMap(data.Secrets, data.UnsetIsEmpty);
        var previous = new SecretMap(data.PreviousSecrets, data.UnsetIsEmpty);
        var reserved = new GoStruct(s_reserved, name => new SecretStruct("", name switch
        {
            "RootCA" => OfCertificate(data.MarbleRoot),
            "CoordinatorRoot" => OfCertificate(data.CoordinatorRoot),
            "CoordinatorIntermediate" => OfCertificate(data.CoordinatorIntermediate),
            _ => data.MarbleCertificate ?? OfCertificate(default),
        }, unsetIsEmpty: true));
        var wrapper = new GoStruct(s_wrapper, name => name == "Secrets" ? secrets : reserved);
        var before = new GoStruct(s_previous, _ => previous);
        // The wrapper is embedded: its fields are the root's own.
        return new GoStruct(s_root, name => name switch { "SecretsWrapper" => wrapper, "Previous" => before, "Secrets" => secrets, "MarbleRun" => reserved, _ => null });
    }

    /// <summary>Whether the root has a field through the struct that it embeds.</summary>
    public static bool IsPromoted(GoType type, string field) => type == s_root && field is "Secrets" or "MarbleRun";

    private static TemplateSecret OfCertificate(ReadOnlyMemory<byte> der) => new("", der, default, default);

    private static GoMethod SecretMethod(Func<SecretStruct, SecretStruct, bool> compare) =>
        new([new GoParameter(() => Secret!)], (receiver, arguments) => GoBool.Of(compare((SecretStruct)receiver, (SecretStruct)arguments[0]!)));
}

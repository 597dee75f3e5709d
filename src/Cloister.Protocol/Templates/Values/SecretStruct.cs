using System.Security.Cryptography;

namespace Cloister.Protocol.Templates.Values;

/// <summary>A manifest.Secret. Its definition is at hand; its value is asked for only when a field of it is read.</summary>
/// <param name="name">In the manifest; for the refusal of one that is not set.</param>
/// <param name="secret">What it is.</param>
/// <param name="unsetIsEmpty">Whether the parts of a value that nobody has set are empty, or refused.</param>
internal sealed class SecretStruct(string name, TemplateSecret secret, bool unsetIsEmpty) : GoStruct(SecretValues.Secret, field => FieldOf(name, secret, unsetIsEmpty, field))
{
    private static readonly TemplateSecretValue s_empty = new(default, default, default);

    public string SecretName { get; } = name;

    public string SecretType => secret.Type;

    /// <summary>The whole secret where a function takes bytes: its public part.</summary>
    public ReadOnlyMemory<byte> Whole => ValueOf(SecretName, secret, unsetIsEmpty).Public;

    public bool HasDefinitionOf(SecretStruct other) => HasDefinition(other.Secret);

    public bool HasValueOf(SecretStruct other)
    {
        TemplateSecretValue one = ValueOf(SecretName, secret, unsetIsEmpty), two = ValueOf(other.SecretName, other.Secret, other.UnsetIsEmpty);
        return Same(one.Certificate, two.Certificate) & Same(one.Private, two.Private) & Same(one.Public, two.Public);

        static bool Same(ReadOnlyMemory<byte> a, ReadOnlyMemory<byte> b) => CryptographicOperations.FixedTimeEquals(a.Span, b.Span);
    }

    private TemplateSecret Secret => secret;

    private bool UnsetIsEmpty => unsetIsEmpty;

    private bool HasDefinition(TemplateSecret other) =>
        (secret.Type, secret.Size, secret.Shared, secret.UserDefined, secret.ValidFor) == (other.Type, other.Size, other.Shared, other.UserDefined, other.ValidFor);

    private static TemplateValue FieldOf(string name, TemplateSecret secret, bool unsetIsEmpty, string field) => field switch
    {
        "Type" => GoString.Of(secret.Type),
        "Size" => new GoUint(secret.Size),
        "Shared" => GoBool.Of(secret.Shared),
        "UserDefined" => GoBool.Of(secret.UserDefined),
        "ValidFor" => new GoUint(secret.ValidFor),
        "Cert" => CertificateValues.Of(ValueOf(name, secret, unsetIsEmpty).Certificate),
        "Private" => new GoBytes(ValueOf(name, secret, unsetIsEmpty).Private, SecretValues.PrivateKey) { IsSecret = true },
        _ => new GoBytes(ValueOf(name, secret, unsetIsEmpty).Public, SecretValues.PublicKey) { IsSecret = true },
    };

    private static TemplateSecretValue ValueOf(string name, TemplateSecret secret, bool unsetIsEmpty) =>
        secret.Value ?? (unsetIsEmpty ? s_empty : throw new ProtocolException(ProtocolError.TemplateSecretUnset, name, "the secret is not set yet."));
}

/// <summary>map[string]manifest.Secret.</summary>
internal sealed class SecretMap(ITemplateSecrets secrets, bool unsetIsEmpty) : GoMap(SecretValues.Secrets)
{
    private IReadOnlyList<string>? _sorted;

    public override int Count => secrets.Names.Count;

    // Go sorts strings by their UTF-8 bytes, which is the order of code points and not that of UTF-16.
    public override IReadOnlyList<string> SortedKeys => _sorted ??=
        [.. secrets.Names.Select(name => (name, key: System.Text.Encoding.UTF8.GetBytes(name))).Order(Comparer<(string name, byte[] key)>.Create((a, b) => a.key.AsSpan().SequenceCompareTo(b.key))).Select(pair => pair.name)];

    public override TemplateValue? Find(string key) => secrets.TryGet(key, out TemplateSecret? secret) ? new SecretStruct(key, secret, unsetIsEmpty) : null;

    public override TemplateValue Zero { get; } = new SecretStruct("", new TemplateSecret("", default, default, default), unsetIsEmpty: true);
}

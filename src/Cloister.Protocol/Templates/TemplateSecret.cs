namespace Cloister.Protocol.Templates;

/// <summary>A secret's value. A symmetric or plain one has the key itself in <see cref="Public"/> and <see cref="Private"/>.</summary>
/// <param name="Certificate">DER, of a certificate secret; else empty.</param>
/// <param name="Public">SubjectPublicKeyInfo of a certificate secret.</param>
/// <param name="Private">PKCS#8 of a certificate secret.</param>
public sealed record TemplateSecretValue(ReadOnlyMemory<byte> Certificate, ReadOnlyMemory<byte> Public, ReadOnlyMemory<byte> Private)
{
    /// <summary>Names no values: they are secret.</summary>
    public override string ToString() => nameof(TemplateSecretValue);
}

/// <summary>
/// A secret as templates see it: its definition, and its value, which may be made only when a template first reads it.
/// Not safe for several renderings at once unless the value was given.
/// </summary>
public sealed class TemplateSecret
{
    private Func<TemplateSecretValue?>? _make;
    private TemplateSecretValue? _value;

    /// <summary>A secret whose value is at hand.</summary>
    /// <param name="type">The manifest's type.</param>
    /// <param name="certificate">DER, of a certificate secret; else empty.</param>
    /// <param name="publicPart">SubjectPublicKeyInfo, or the key itself.</param>
    /// <param name="privatePart">PKCS#8, or the key itself.</param>
    public TemplateSecret(string type, ReadOnlyMemory<byte> certificate, ReadOnlyMemory<byte> publicPart, ReadOnlyMemory<byte> privatePart)
        : this(type) => _value = new(certificate, publicPart, privatePart);

    /// <summary>A secret whose value is made when it is first read, once.</summary>
    /// <param name="type">The manifest's type.</param>
    /// <param name="make">Makes the value; null where nobody has set it yet.</param>
    public TemplateSecret(string type, Func<TemplateSecretValue?> make)
        : this(type)
    {
        ArgumentNullException.ThrowIfNull(make);
        _make = make;
    }

    private TemplateSecret(string type)
    {
        ArgumentNullException.ThrowIfNull(type);
        Type = type;
    }

    /// <summary>A symmetric or plain secret.</summary>
    public static TemplateSecret OfKey(string type, ReadOnlyMemory<byte> key) => new(type, default, key, key);

    /// <summary>A secret that is defined and that nobody has set yet.</summary>
    public static TemplateSecret Unset(string type) => new(type);

    /// <summary>The manifest's type.</summary>
    public string Type { get; }

    /// <summary>Bits, as the manifest says.</summary>
    public ulong Size { get; init; }

    /// <summary>Whether all marbles have the same value.</summary>
    public bool Shared { get; init; }

    /// <summary>Whether a user uploads it.</summary>
    public bool UserDefined { get; init; }

    /// <summary>Days a certificate is valid, as the manifest says.</summary>
    public ulong ValidFor { get; init; }

    /// <summary>Its value, made now if it was not yet; null where nobody has set it.</summary>
    public TemplateSecretValue? Value
    {
        get
        {
            if (_make is not { } make) return _value;
            _make = null;
            return _value = make();
        }
    }

    /// <summary>Names no values: they are secret.</summary>
    public override string ToString() => $"TemplateSecret({Type})";
}

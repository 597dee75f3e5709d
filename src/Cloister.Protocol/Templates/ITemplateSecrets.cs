using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace Cloister.Protocol.Templates;

/// <summary>The secrets that templates may name. Looked up one by one, so that only those that a template reads need to exist.</summary>
public interface ITemplateSecrets
{
    /// <summary>Names of all secrets, in any order, whether set or not.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>Finds a secret; false where the manifest defines none of that name.</summary>
    bool TryGet(string name, [NotNullWhen(true)] out TemplateSecret? secret);
}

/// <summary>Secrets held in a table.</summary>
public sealed class TemplateSecrets : ITemplateSecrets
{
    private readonly FrozenDictionary<string, TemplateSecret> _secrets;

    /// <summary>Copies the table; names compare ordinally.</summary>
    public TemplateSecrets(IEnumerable<KeyValuePair<string, TemplateSecret>> secrets) =>
        _secrets = secrets.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>No secrets.</summary>
    public static TemplateSecrets None { get; } = new([]);

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Names => _secrets.Keys;

    /// <inheritdoc/>
    public bool TryGet(string name, [NotNullWhen(true)] out TemplateSecret? secret) => _secrets.TryGetValue(name, out secret);
}

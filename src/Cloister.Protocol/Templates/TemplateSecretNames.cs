using System.Collections.Immutable;

namespace Cloister.Protocol.Templates;

/// <summary>The secrets whose values a template can read, told from its text alone.</summary>
/// <param name="Names">Names reached through field chains or <c>index .Secrets "name"</c>, each once, in order of appearance.
/// A name that only the definition is read of (<c>.Secrets.name.Type</c>) is not among them.</param>
/// <param name="All">Whether any other secret may be read too: the template ranges over all of them, or computes a name.</param>
public sealed record TemplateSecretNames(ImmutableArray<string> Names, bool All)
{
    /// <summary>Nothing is read.</summary>
    public static TemplateSecretNames None { get; } = new([], false);
}

namespace Cloister.Serving.Callers.Certificates;

/// <summary>Compares names of certificates with the manifest's patterns. An empty pattern does not look.</summary>
internal static class NamePattern
{
    public static bool CommonName(string pattern, string? name) =>
        pattern.Length == 0 || (name is { Length: > 0 } && (pattern == "*" || pattern == name));

    /// <summary>Without case; <c>*.</c> in front stands for exactly one label.</summary>
    public static bool Dns(string pattern, IReadOnlyList<string> names) => pattern.Length == 0 || names.Any(name =>
        pattern.StartsWith("*.", StringComparison.Ordinal)
            ? name.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && name[dot..].Equals(pattern[1..], StringComparison.OrdinalIgnoreCase) && name[0] != '*'
            : name.Equals(pattern, StringComparison.OrdinalIgnoreCase));

    /// <summary>Exactly; <c>*</c> at the end stands for one character or more.</summary>
    public static bool Uri(string pattern, IReadOnlyList<string> names) => pattern.Length == 0 || names.Any(name =>
        pattern.EndsWith('*') ? name.Length >= pattern.Length && name.StartsWith(pattern[..^1], StringComparison.Ordinal) : name == pattern);

    /// <summary>The mailbox exactly, its host without case; <c>*@</c> in front stands for any mailbox.</summary>
    public static bool Email(string pattern, IReadOnlyList<string> names) => pattern.Length == 0 || names.Any(name =>
    {
        int at = name.LastIndexOf('@'), wanted = pattern.LastIndexOf('@');
        return at > 0 && wanted >= 0 && name[at..].Equals(pattern[wanted..], StringComparison.OrdinalIgnoreCase)
            && (pattern[..wanted] == "*" || name.AsSpan(0, at).SequenceEqual(pattern.AsSpan(0, wanted)));
    });
}

namespace Cloister.Images.Definition;

/// <summary>Paths inside a machine: absolute, and written in one way only.</summary>
internal static class GuestPath
{
    public const int MaximumLength = 1024;

    /// <summary>What is wrong with a path; null if nothing.</summary>
    public static string? Problem(string path)
    {
        if (!path.StartsWith('/')) return $"is '{path}', not an absolute path";
        if (path.Length > MaximumLength) return $"has more than {MaximumLength} characters";
        if (path == "/") return null;
        return path[1..].Split('/').Any(part => part is "" or "." or "..") || path.Any(char.IsControl)
            ? $"is '{path}'; write it without '//', '.', '..', a slash at the end or control characters"
            : null;
    }

    /// <summary>Whether a path is a folder or lies in it.</summary>
    public static bool IsWithin(string path, string folder) =>
        folder == "/" || path == folder || (path.StartsWith(folder, StringComparison.Ordinal) && path[folder.Length] == '/');
}

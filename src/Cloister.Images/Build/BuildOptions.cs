namespace Cloister.Images.Build;

/// <summary>Where building finds things, and where the image goes.</summary>
public sealed record BuildOptions
{
    /// <summary>The image's folder. An image that is there is replaced; anything else that is there is refused.</summary>
    public required string Output { get; init; }

    /// <summary>The published programs that go into machines: a folder with <c>agent/</c> and <c>cloister/</c>.</summary>
    public required string Programs { get; init; }

    /// <summary>Where downloaded packages and built roots are kept; null: <see cref="DefaultCache"/>.</summary>
    public string? Cache { get; init; }

    /// <summary>Whether inputs may differ from the lock beside the definition; the lock is then written anew.</summary>
    public bool Update { get; init; }

    /// <summary>The folder that <c>CLOISTER_GUEST</c> names, else <c>guest</c> beside this program's folder.</summary>
    public static string DefaultPrograms => Environment.GetEnvironmentVariable("CLOISTER_GUEST") is { Length: > 0 } set
        ? set
        : Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "guest"));

    /// <summary><c>cloister</c> under <c>XDG_CACHE_HOME</c>, else under <c>~/.cache</c>, else under the folder for temporary files.</summary>
    public static string DefaultCache
    {
        get
        {
            if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache && Path.IsPathRooted(cache)) return Path.Combine(cache, "cloister");
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            return home.Length > 0 ? Path.Combine(home, ".cache", "cloister") : Path.Combine(Path.GetTempPath(), "cloister-cache");
        }
    }
}

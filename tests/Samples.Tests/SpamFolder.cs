using Cloister.Tests;

namespace Cloister.Samples.Tests;

/// <summary>The committed files of samples/Spam.</summary>
internal static class SpamFolder
{
    public static string Path { get; } = System.IO.Path.Combine(TestData.RepositoryRoot, "samples", "Spam");

    /// <summary>The e-mails, by name.</summary>
    public static IReadOnlyList<(string Name, string Text)> Mails { get; } =
        [.. Directory.GetFiles(System.IO.Path.Combine(Path, "mails"), "*.txt").Order(StringComparer.Ordinal).Select(file => (System.IO.Path.GetFileNameWithoutExtension(file), File.ReadAllText(file)))];

    public static byte[] Read(string relative) => File.ReadAllBytes(System.IO.Path.Combine(Path, relative));
}

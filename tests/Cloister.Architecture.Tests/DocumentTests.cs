using System.Text.RegularExpressions;

namespace Cloister.Tests;

/// <summary>Documents do not rot: what they link to is there.</summary>
public sealed partial class DocumentTests
{
    public static TheoryData<string> Documents() => [.. Directory
        .EnumerateFiles(TestData.RepositoryRoot, "*.md", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(TestData.RepositoryRoot, path))
        .Where(path => !path.Contains("node_modules", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal) && !path.Contains("/obj/", StringComparison.Ordinal))];

    [Theory, MemberData(nameof(Documents))]
    public void Every_relative_link_leads_somewhere(string document)
    {
        string path = Path.Combine(TestData.RepositoryRoot, document);
        string folder = Path.GetDirectoryName(path)!;
        foreach (Match link in Link().Matches(File.ReadAllText(path)))
        {
            string target = link.Groups[1].Value.Split('#')[0];
            if (target.Length > 0 && !target.Contains("://", StringComparison.Ordinal))
                Assert.True(Path.Exists(Path.Combine(folder, target)), $"{document} links to {target}, which is not there.");
        }
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}

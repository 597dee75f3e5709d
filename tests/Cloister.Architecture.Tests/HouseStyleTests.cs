using System.Text.RegularExpressions;

namespace Cloister.Tests;

/// <summary>What the house asks of every source file, checked by reading them.</summary>
public sealed partial class HouseStyleTests
{
    private const int MaximumLines = 400;

    [Fact]
    public void No_file_exceeds_the_line_limit() =>
        Assert.DoesNotContain(Sources(), path => File.ReadLines(path).Count() > MaximumLines);

    [Fact]
    public void No_file_has_a_name_that_says_nothing() =>
        Assert.DoesNotContain(Sources().Select(Relative), path => VagueName().IsMatch(Path.GetFileNameWithoutExtension(path)));

    [Fact]
    public void No_unfinished_work_is_left_in_the_code() =>
        Assert.DoesNotContain(Sources(), path => Unfinished().IsMatch(File.ReadAllText(path)));

    [Fact]
    public void Time_comes_from_a_TimeProvider() =>
        Assert.DoesNotContain(Sources(), path => Clock().IsMatch(File.ReadAllText(path)));

    private static IEnumerable<string> Sources() => Directory
        .EnumerateFiles(Path.Combine(TestData.RepositoryRoot, "src"), "*.cs", SearchOption.AllDirectories)
        .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal));

    private static string Relative(string path) => Path.GetRelativePath(TestData.RepositoryRoot, path);

    [GeneratedRegex("(Utils?|Helpers?|Manager|Common|Misc)$")]
    private static partial Regex VagueName();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK)\b|NotImplementedException|Thread\.Sleep|async void")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"DateTime(Offset)?\.(Utc)?Now\b")]
    private static partial Regex Clock();
}

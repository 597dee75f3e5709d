using System.Runtime.CompilerServices;

namespace Cloister.Tests;

/// <summary>The one place that knows where shared test data lies: <c>../shared/data</c> beside the repository, or <c>CLOISTER_TESTDATA</c>.</summary>
internal static class TestData
{
    public static string RepositoryRoot { get; } = System.IO.Path.GetFullPath(System.IO.Path.Combine(SourceFolder(), ".."));

    /// <summary>The folder, or null where it is absent.</summary>
    public static string? Folder { get; } = Find();

    public static string Path(string relative) => System.IO.Path.Combine(
        Folder ?? throw new InvalidOperationException("Shared test data is absent; mark the test [SharedDataFact]."), relative);

    private static string? Find()
    {
        string folder = Environment.GetEnvironmentVariable("CLOISTER_TESTDATA") is { Length: > 0 } set
            ? set
            : System.IO.Path.Combine(RepositoryRoot, "..", "shared", "data");
        return Directory.Exists(folder) ? System.IO.Path.GetFullPath(folder) : null;
    }

    private static string SourceFolder([CallerFilePath] string path = "") => System.IO.Path.GetDirectoryName(path)!;
}

/// <summary>A fact that needs the shared test data and is skipped, with the reason, where it is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute()
    {
        if (TestData.Folder is null)
            Skip = "Shared test data is absent: set CLOISTER_TESTDATA to its folder.";
    }
}

/// <summary>As <see cref="SharedDataFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataTheoryAttribute : TheoryAttribute
{
    public SharedDataTheoryAttribute()
    {
        if (TestData.Folder is null)
            Skip = "Shared test data is absent: set CLOISTER_TESTDATA to its folder.";
    }
}

using Cloister.Tests;

namespace Cloister.Serving.Tests.Observation;

/// <summary>A fact that needs Chromium and its driver, and is skipped, with the reason, where they are absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
#pragma warning disable CA1852 // End-to-end tests, which link this file, derive from it.
internal class BrowserFactAttribute : FactAttribute
#pragma warning restore CA1852
{
    public BrowserFactAttribute()
    {
        if (Chromium is null) Skip = "Chromium is absent: install the package chromium.";
        else if (!Directory.Exists(System.IO.Path.Combine(Folder, "node_modules", "playwright-core"))) Skip = "The browser driver is absent: run tests/Cloister.Serving.Tests/node/install.";
    }

    public static string Folder { get; } = System.IO.Path.Combine(TestData.RepositoryRoot, "tests", "Cloister.Serving.Tests", "node");

    public static string? Chromium { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator)
        .SelectMany(folder => new[] { "chromium", "chromium-browser", "google-chrome" }.Select(name => System.IO.Path.Combine(folder, name))).FirstOrDefault(File.Exists);
}

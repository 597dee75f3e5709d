using System.Diagnostics;

namespace Cloister.Coordinator.Tests.Secrets;

/// <summary>The openssl program: somebody else's view of a certificate.</summary>
internal static class OpenSsl
{
    public static bool IsPresent { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "openssl")));

    /// <summary>Runs it in a folder and returns its output; a failure is the test's.</summary>
    public static async Task<string> RunAsync(string folder, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("openssl", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        Assert.True(process.ExitCode == 0, $"openssl {string.Join(' ', arguments)}: {await errors} {await output}");
        return await output;
    }
}

/// <summary>A fact that needs the openssl program, and shared test data where it says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OpenSslFactAttribute : FactAttribute
{
    public OpenSslFactAttribute(bool sharedData = false)
    {
        if (!OpenSsl.IsPresent)
            Skip = "The openssl program is not on the PATH.";
        else if (sharedData && Cloister.Tests.TestData.Folder is null)
            Skip = "Shared test data is absent: set CLOISTER_TESTDATA to its folder.";
    }
}

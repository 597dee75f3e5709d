using System.Diagnostics;
using Cloister.Tests;

namespace Cloister.EndToEnd;

/// <summary>Every library packs, and a stranger's project can use the package from a folder.</summary>
public sealed class PackageTests
{
    private const string Program = """
        using Cloister.Attestation;
        using Cloister.Sealing;

        using MakerKey maker = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);
        byte[] signature = maker.Sign("a message"u8);
        Console.WriteLine(maker.Public.Verify("a message"u8, signature) ? "verified" : "refused");
        Console.WriteLine(EvidenceCodec.Decode([1, 2, 3]).Refusal);
        Type[] doors =
        [
            typeof(Cloister.Client.AttestedHttpHandler), typeof(Cloister.Coordinator.CoordinatorHost), typeof(Cloister.Onnx.Runtime.OrtSession),
            typeof(Cloister.Platform.IEvidenceIssuer), typeof(Cloister.Protocol.Manifest.ManifestReader), typeof(Cloister.Serving.InferenceHost),
            typeof(Cloister.Workload.Activation), typeof(Cloister.Images.ImageDefinition),
        ];
        Console.WriteLine(doors.Length);
        """;

    [Fact]
    public async Task A_project_outside_uses_all_packages_from_a_local_folder()
    {
        using var folder = new TemporaryFolder();
        string packages = folder["packages"], consumer = folder["consumer"];
        string[] libraries = [.. Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, "src"), "*.csproj", SearchOption.AllDirectories)
            .Where(path => !File.ReadAllText(path).Contains("<IsPackable>false</IsPackable>", StringComparison.Ordinal))];
        string configuration = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd('/'))!);
        foreach (string library in libraries)
            await DotnetAsync(folder.Path, "pack", library, "--no-build", "-c", configuration, "-o", packages, "-v", "quiet", "--nologo");
        Assert.Equal(libraries.Length, Directory.EnumerateFiles(packages, "*.nupkg").Count());

        Directory.CreateDirectory(consumer);
        string references = string.Join('\n', libraries.Select(library => $"""    <PackageReference Include="{Path.GetFileNameWithoutExtension(library)}" Version="0.1.0" />"""));
        string shared = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        await File.WriteAllTextAsync(Path.Combine(consumer, "consumer.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <RestoreSources>{packages}</RestoreSources>
                <RestorePackagesPath>{folder["restored"]}</RestorePackagesPath>
                <RestoreFallbackFolders>{shared}</RestoreFallbackFolders>
              </PropertyGroup>
              <ItemGroup>
            {references}
              </ItemGroup>
            </Project>
            """);
        await File.WriteAllTextAsync(Path.Combine(consumer, "Program.cs"), Program);
        string output = await DotnetAsync(consumer, "run", "--project", consumer);
        Assert.Equal("verified", output.Split('\n')[0].Trim());
        Assert.Contains("8", output, StringComparison.Ordinal);
    }

    private static async Task<string> DotnetAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        // Left over from the test host, these would make the child build as if it were part of it.
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}\n{await output}\n{await error}");
        return await output;
    }
}

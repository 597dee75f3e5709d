using System.Text;
using Cloister.Client;

namespace Cloister.EndToEnd;

/// <summary>Any program as a workload: files, environment and arguments come from the manifest, and the command is part of what is measured.</summary>
public sealed class WorkloadRunTests
{
    private const string Script = "cat \"$1\"; printf ' %s %s' \"$GREETING\" \"${MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN%%CERT*}\"; exit 7";

    [Fact]
    public async Task A_shell_gets_its_file_environment_and_exit_code()
    {
        await using Deployment deployment = await Deployment.CreateAsync();
        await deployment.StartCoordinatorAsync();
        (string program, string file) = await PrepareAsync(deployment, ["/bin/sh", "-c", Script, "sh"]);
        Ended ended = await RunAsync(deployment, program, "/bin/sh", "-c", Script, "sh", file);
        Assert.True(ended.Code == 7, ended.Output + ended.Error);
        Assert.StartsWith("from the manifest hello -----BEGIN", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_argument_is_another_workload_and_is_refused()
    {
        await using Deployment deployment = await Deployment.CreateAsync();
        await deployment.StartCoordinatorAsync();
        (string program, string file) = await PrepareAsync(deployment, ["/bin/sh", "-c", Script, "sh"]);
        Ended ended = await RunAsync(deployment, program, "/bin/sh", "-c", "cat /etc/hostname");
        Assert.Equal(3, ended.Code);
        Assert.Contains("MeasurementNotAccepted", ended.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(file));
    }

    // The program's folder holds the policy for its coordinator: it is measured with it.
    private static async Task<(string Program, string File)> PrepareAsync(Deployment deployment, string[] command)
    {
        string program = deployment["program"], file = deployment["given/file.txt"];
        foreach (string folder in Directory.EnumerateDirectories(CloisterCommand.Folder, "*", SearchOption.AllDirectories).Prepend(CloisterCommand.Folder))
            Directory.CreateDirectory(Path.Combine(program, Path.GetRelativePath(CloisterCommand.Folder, folder)));
        foreach (string source in Directory.EnumerateFiles(CloisterCommand.Folder, "*", SearchOption.AllDirectories))
            File.Copy(source, Path.Combine(program, Path.GetRelativePath(CloisterCommand.Folder, source)));
        await File.WriteAllTextAsync(Path.Combine(program, "coordinator-policy.json"), deployment.PolicyText);
        string digest = await Deployment.MeasureAsync(program, [.. command, file]);
        string manifest = $$"""
            {
              "Packages": { "shell": {{deployment.Package(digest)}} },
              "Marbles": { "shell": { "Package": "shell", "Parameters": {
                "Files": { "{{file}}": "from the manifest" },
                "Env": { "GREETING": "hello" } } } }
            }
            """;
        await UnverifiedCoordinator.SetManifestAsync(deployment.ClientAddress, Encoding.UTF8.GetBytes(manifest), []);
        return (program, file);
    }

    private static async Task<Ended> RunAsync(Deployment deployment, string program, params string[] command)
    {
        return await CloisterCommand.RunFromAsync(program,
            ["workload", "run", "--type", "shell", "--coordinator", deployment.MeshAddress, "--uuid-file", deployment["uuid"], "--simulator", deployment.SimulatorSocket, "--", .. command]);
    }
}

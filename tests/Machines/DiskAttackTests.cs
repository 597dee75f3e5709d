using System.Text;
using Cloister.EndToEnd;
using Cloister.Tests.Mesh;
using TemporaryFolder = Cloister.EndToEnd.TemporaryFolder;

namespace Cloister.Machines;

/// <summary>A machine with a sealed data disk, whose operator keeps yesterday's and puts it back.</summary>
public sealed class DiskAttackTests
{
    private const string Entry = "use";

    [MachineFact]
    public async Task What_a_machine_committed_is_there_and_yesterdays_disk_is_refused()
    {
        using var folder = new TemporaryFolder();
        await using TestMesh mesh = await TestMesh.StartAsync(withManifest: false);
        string image = await BuildAsync(folder, mesh), machine = folder["machine"], disk = Path.Combine(machine, "data.disk");
        (await CloisterCommand.RunAsync("image", "authority", folder["authority"], "--json")).Succeeded();
        await mesh.SetManifestAsync(Manifest(image, await RootAsync(folder["authority"])));
        Task<RunningMachine> StartAsync() => RunningMachine.StartAsync(image, machine, null, "--coordinator", $"127.0.0.1:{mesh.Coordinator.MeshAddress.Port}", "--authority", folder["authority"]);

        await using (RunningMachine first = await StartAsync())
        {
            Ended ended = await first.ExecAsync(Entry, "sh", "-c", "cat /data/text; cat /keys/data; echo one > /data/text; grep /data /proc/mounts");
            Assert.DoesNotContain("one", ended.Output, StringComparison.Ordinal);
            ended.Succeeded();
            Assert.Matches("tmpfs /data tmpfs rw,nosuid,nodev,noexec,.*size=1024k", ended.Output);
            Assert.DoesNotContain(Convert.ToHexStringLower(new byte[4]), ended.Output, StringComparison.Ordinal);
        }
        File.Copy(disk, folder["yesterday"]);
        Assert.True((await File.ReadAllBytesAsync(disk)).AsSpan().IndexOf("one\n"u8) < 0);

        await using (RunningMachine second = await StartAsync())
        {
            Ended ended = await second.ExecAsync(Entry, "sh", "-c", "cat /data/text; echo two > /data/text");
            ended.Succeeded();
            Assert.Equal("one", ended.Output.Trim());
        }
        File.Copy(disk, folder["today"]);
        File.Copy(folder["yesterday"], disk, overwrite: true);

        await using RunningMachine third = await StartAsync();
        Ended refused = await third.ExecAsync(Entry, "cat", "/data/text");
        Assert.NotEqual(0, refused.Code);
        Assert.DoesNotContain("one", refused.Output, StringComparison.Ordinal);
        Assert.Contains("is an old one: version 1, while 2 counts", refused.Output + refused.Error, StringComparison.Ordinal);
    }

    private static async Task<string> BuildAsync(TemporaryFolder folder, TestMesh mesh)
    {
        string definition = folder["store"];
        Directory.CreateDirectory(Path.Combine(definition, "root", "bin"));
        string busybox = Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(path => Path.Combine(path, "busybox")).First(File.Exists);
        File.Copy(busybox, Path.Combine(definition, "root", "bin", "busybox"));
        await File.WriteAllBytesAsync(Path.Combine(definition, "coordinator-policy.json"), mesh.Policy.ToBytes());
        await File.WriteAllTextAsync(Path.Combine(definition, "image.yaml"), $"""
            name: store
            entries:
              {Entry}:
                command: [/bin/busybox]
                arguments: true
                marble: store
                activation: agent
            files:
              - directory: root
            disks:
              - name: data
                path: /data
                size: 1
                key: "file:/keys/data"
                commit: 0
            coordinatorPolicy: coordinator-policy.json
            """);
        (await CloisterCommand.RunAsync("image", "build", definition, "--json")).Succeeded();
        return Path.Combine(definition, "image");
    }

    private static async Task<string> RootAsync(string authority)
    {
        string pem = await File.ReadAllTextAsync(Directory.EnumerateFiles(authority, "*.pem").First(file => file.Contains("root", StringComparison.Ordinal)));
        return Convert.ToBase64String(System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(pem).RawData);
    }

    private static string Manifest(string image, string root) => $$$"""
        {
          "Packages": { "store": { "Tpm": {
            "Image": {{{File.ReadAllText(Path.Combine(image, "measurements.json"), Encoding.UTF8)}}}, "Path": "Kernel",
            "Key": { "Endorsed": { "Roots": ["{{{root}}}"], "Certificates": { "Any": true } } } } } },
          "Marbles": { "store": { "Package": "store", "Parameters": { "Files": { "/keys/data": "{{ hex .Secrets.disk }}" } } } },
          "Secrets": { "disk": { "Type": "symmetric-key", "Size": 256, "Shared": true } }
        }
        """;
}

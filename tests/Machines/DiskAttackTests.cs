using System.Buffers.Binary;
using System.Security.Cryptography.X509Certificates;
using Cloister.EndToEnd;
using Cloister.Tests.Mesh;
using TemporaryFolder = Cloister.EndToEnd.TemporaryFolder;

namespace Cloister.Machines;

/// <summary>A machine with a sealed data disk, whose operator keeps yesterday's and puts it back.</summary>
public sealed class DiskAttackTests
{
    // docs/formats/sealed-disk.md, part 1, for 1 MiB: commits with an odd number are in the second slot.
    private const int OddSlot = 1_314_816, VersionAt = 16;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5), s_look = TimeSpan.FromSeconds(1);

    [MachineFact]
    public async Task What_a_machine_committed_is_there_and_yesterdays_disk_is_refused()
    {
        using var folder = new TemporaryFolder();
        await using TestMesh mesh = await TestMesh.StartAsync(withManifest: false);
        string image = await BuildAsync(folder, mesh), machine = folder["machine"], disk = Path.Combine(machine, "data.disk");
        (await CloisterCommand.RunAsync("image", "authority", folder["authority"], "--json")).Succeeded();
        using X509Certificate2 root = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(Path.Combine(folder["authority"], "root.pem")));
        await mesh.SetManifestAsync(Manifest(await File.ReadAllTextAsync(Path.Combine(image, "measurements.json")), root));
        Task<RunningMachine> StartAsync() => RunningMachine.StartAsync(image, machine, null,
            "--coordinator", $"127.0.0.1:{mesh.Coordinator.MeshAddress.Port}", "--authority", folder["authority"]);

        await using (RunningMachine first = await StartAsync())
        {
            Assert.Contains("opened with version 0", await LogsWithAsync(first, "The disk 'data' was opened"), StringComparison.Ordinal);
            await CommittedAsync(disk, 1);
            File.Copy(disk, folder["yesterday"]);
            await CommittedAsync(disk, 5); // so that 3 and more count
        }
        Assert.True((await File.ReadAllBytesAsync(disk)).AsSpan().IndexOf("I was here"u8) < 0);
        File.Copy(disk, folder["today"]);

        File.Copy(folder["yesterday"], disk, overwrite: true);
        await using (RunningMachine second = await StartAsync())
            Assert.DoesNotContain("I was here", await LogsWithAsync(second, "is an old one"), StringComparison.Ordinal);

        File.Copy(folder["today"], disk, overwrite: true);
        await using RunningMachine third = await StartAsync();
        await LogsWithAsync(third, "I was here");
    }

    private static async Task CommittedAsync(string disk, ulong version)
    {
        using var patience = new CancellationTokenSource(s_patience);
        byte[] block = new byte[32];
        while (true)
        {
            // Beside the machine, which holds a lock of its own.
            await using (var file = new FileStream(disk, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0))
            {
                file.Position = OddSlot;
                await file.ReadExactlyAsync(block, patience.Token);
            }
            if (BinaryPrimitives.ReadUInt64LittleEndian(block.AsSpan(VersionAt)) >= version) return;
            await Task.Delay(s_look, patience.Token);
        }
    }

    private static async Task<string> LogsWithAsync(RunningMachine machine, string text)
    {
        string last = "";
        using var patience = new CancellationTokenSource(s_patience);
        while (!patience.IsCancellationRequested)
        {
            Ended logs = await machine.RunAsync("logs");
            last = logs.Output + logs.Error;
            if (last.Contains(text, StringComparison.Ordinal)) return last;
            await Task.Delay(s_look, CancellationToken.None);
        }
        throw new TimeoutException($"The machine never said '{text}':\n{last}");
    }

    private static async Task<string> BuildAsync(TemporaryFolder folder, TestMesh mesh)
    {
        string definition = folder["store"], programs = Path.Combine(definition, "root", "bin");
        Directory.CreateDirectory(programs);
        File.Copy(Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(path => Path.Combine(path, "busybox")).First(File.Exists), Path.Combine(programs, "busybox"));
        await File.WriteAllBytesAsync(Path.Combine(definition, "coordinator-policy.json"), mesh.Policy.ToBytes());
        await File.WriteAllTextAsync(Path.Combine(definition, "image.yaml"), """
            name: store
            start: store
            console: programs
            entries:
              store:
                command: [/bin/busybox, sh, -c, "/bin/busybox cat /data/text; echo I was here > /data/text; exec /bin/busybox sleep 100000"]
                marble: store
                activation: agent
            files:
              - directory: root
            disks:
              - name: data
                path: /data
                size: 1
                key: "file:/keys/data"
                commit: 2
            coordinatorPolicy: coordinator-policy.json
            """);
        (await CloisterCommand.RunAsync("image", "build", definition, "--json")).Succeeded();
        return Path.Combine(definition, "image");
    }

    private static string Manifest(string measurements, X509Certificate2 root) => $$$"""
        {
          "Packages": { "store": { "Tpm": {
            "Image": {{{measurements}}}, "Path": "Kernel",
            "Key": { "Endorsed": { "Roots": ["{{{Convert.ToBase64String(root.RawDataMemory.Span)}}}"], "Certificates": { "Any": true } } } } } },
          "Marbles": { "store": { "Package": "store", "Parameters": { "Files": { "/keys/data": "{{ hex .Secrets.disk }}" } } } },
          "Secrets": { "disk": { "Type": "symmetric-key", "Size": 256, "Shared": true } }
        }
        """;
}

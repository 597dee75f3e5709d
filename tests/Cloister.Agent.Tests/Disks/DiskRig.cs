using Cloister.Agent.Control;
using Cloister.Agent.Disks;
using Cloister.Images;
using Cloister.Images.Channel;
using Cloister.Images.Volumes;
using Cloister.Tests.Mesh;
using Cloister.Workload;

namespace Cloister.Agent.Tests.Disks;

/// <summary>A real coordinator, files in the place of disks, and machines that open them one after the other or at once.</summary>
internal sealed class DiskRig : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private int _machines;

    private DiskRig(TestMesh mesh) => Mesh = mesh;

    public TestMesh Mesh { get; }

    public static async Task<DiskRig> StartAsync()
    {
        TestMesh mesh = await TestMesh.StartAsync();
        await mesh.SetModelKeyAsync();
        return new DiskRig(mesh);
    }

    public static DataDisk Disk(string name = "data", DiskScope scope = DiskScope.Workload) =>
        new(name, "/" + name, 1, "environment:KEY_HEX", Commit: 0, Scope: scope);

    /// <summary>An empty disk's file.</summary>
    public string NewFile(string name)
    {
        string file = _folder.At(name);
        File.Delete(file);
        BlockDeviceFile.Create(file, new DiskLayout(1));
        return file;
    }

    /// <summary>A machine that was activated, under a UUID of its own, and has opened nothing yet.</summary>
    public async Task<DiskMachine> MachineAsync(IReadOnlyDictionary<string, string> files, params DataDisk[] disks)
    {
        WorkloadActivator activator = Mesh.Activator();
        Activation activation = await activator.ActivateAsync();
        return new DiskMachine(Directory.CreateDirectory(_folder.At($"machine-{_machines++}")).FullName, files, disks, activator, activation);
    }

    public Task<DiskMachine> MachineAsync(string file, DiskScope scope = DiskScope.Workload) =>
        MachineAsync(new Dictionary<string, string> { ["data"] = file }, Disk(scope: scope));

    public async ValueTask DisposeAsync()
    {
        await Mesh.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>What the agent of one machine does with its disks.</summary>
internal sealed class DiskMachine : IAsyncDisposable
{
    private readonly WorkloadActivator _activator;
    private readonly Activation _activation;
    private readonly GuestChannel _channel = new(Stream.Null);

    public DiskMachine(string folder, IReadOnlyDictionary<string, string> files, DataDisk[] disks, WorkloadActivator activator, Activation activation)
    {
        (Folder, _activator, _activation) = (folder, activator, activation);
        var definition = new ImageDefinition { Name = "shop", Product = 3, Console = ConsoleOutput.None, Disks = [.. disks] };
        Disks = new DataDisks(definition, new DiskSystem
        {
            Device = disk => BlockDeviceFile.Open(files[disk.Name]),
            Stage = disk => Directory.CreateDirectory(Path.Combine(folder, "staged-" + disk.Name)).FullName,
            Publish = disk =>
            {
                Directory.Move(Path.Combine(folder, "staged-" + disk.Name), Path.Combine(folder, disk.Name));
                return Path.Combine(folder, disk.Name);
            },
            Discard = (_, staged) => Directory.Delete(staged, recursive: true),
            Pause = _ =>
            {
                Pauses++;
                return Task.FromResult<IDisposable>(new MemoryStream());
            },
            Requests = Requests,
        }, new Reporter(definition, _channel));
    }

    public string Folder { get; }

    public DataDisks Disks { get; }

    public int Pauses { get; private set; }

    public string Requests => Path.Combine(Folder, "r");

    public Task OpenAsync() => Disks.OpenAsync(_activator, _activation, CancellationToken.None);

    /// <summary>What a program of the machine writes and reads.</summary>
    public string? Text
    {
        get => File.Exists(TextFile) ? File.ReadAllText(TextFile) : null;
        set => File.WriteAllText(TextFile, value);
    }

    private string TextFile => Path.Combine(Folder, "data", "text");

    /// <summary>Opens, writes, and ends as a machine does.</summary>
    public async Task LiveAsync(string text)
    {
        await OpenAsync();
        Text = text;
        Assert.Equal(["data"], await Disks.CommitAsync(CancellationToken.None));
    }

    /// <summary>Opens what has to be refused, and sees that no program would have found anything.</summary>
    public async Task<ImageError> RefusedAsync()
    {
        var refused = await Assert.ThrowsAsync<ImageException>(OpenAsync);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Folder));
        return refused.Error;
    }

    public async ValueTask DisposeAsync()
    {
        Disks.Dispose();
        _activation.Dispose();
        await _channel.DisposeAsync();
    }
}

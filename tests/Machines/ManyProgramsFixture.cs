using System.Net;
using System.Net.Sockets;
using Cloister.EndToEnd;
using Cloister.Tests;

namespace Cloister.Machines;

/// <summary>The image of many programs, built once and booted once, on a host that also tries the console and a port that was not declared.</summary>
[CollectionDefinition(Name)]
public sealed class ManyProgramsFixture : ICollectionFixture<ManyProgramsFixture>, IAsyncLifetime, IDisposable
{
    public const string Name = "many programs in one machine";

    private readonly TemporaryFolder _folder = new();
    private HostileHost? _host;
    private RunningMachine? _machine;

    internal RunningMachine Machine => _machine!;

    /// <summary>A port of this host that leads to Redis.</summary>
    internal int DeclaredPort { get; } = FreePort();

    /// <summary>A port of this host that the operator leads to a program behind a port that the image does not declare.</summary>
    internal int UndeclaredPort { get; } = FreePort();

    /// <summary>What the machine wrote to a serial port that its operator put into it.</summary>
    internal string Console => _folder["console"];

    /// <summary>Where its operator types into that port.</summary>
    internal string Keyboard => _folder["keyboard"];

    internal string Image => Path.Combine(Definition, "image");

    private string Definition => _folder["many"];

    public async Task InitializeAsync()
    {
        if (MachineFactAttribute.Reason is not null) return;
        Directory.CreateDirectory(Definition);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, "tests", "Machines", "image")))
            File.Copy(file, Path.Combine(Definition, Path.GetFileName(file)));
        ContainerArchive.Write(Path.Combine(Definition, "container.tar"));
        (await CloisterCommand.RunAsync("image", "build", Definition, "--json")).Succeeded();
        _host = new HostileHost($$"""
            for i in "${!args[@]}"; do
              [[ "${args[$i]}" == user,* ]] && args[$i]="${args[$i]},hostfwd=tcp:127.0.0.1:{{UndeclaredPort}}-10.0.2.15:6380"
            done
            args+=(-chardev "socket,id=stolen,server=on,wait=off,path={{Keyboard}},logfile={{Console}}" -serial chardev:stolen)
            """);
        _machine = await RunningMachine.StartAsync(Image, _folder["machine"], _host.SearchPath, "--port", $"{DeclaredPort}:6379");
    }

    public async Task DisposeAsync()
    {
        if (_machine is not null) await _machine.DisposeAsync();
    }

    public void Dispose()
    {
        _host?.Dispose();
        _folder.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

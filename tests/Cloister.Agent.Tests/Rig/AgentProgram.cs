using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text.Json;
using Cloister.Agent.Control;
using Cloister.Agent.Disks;
using Cloister.Agent.Programs;
using Cloister.Images;
using Cloister.Images.Channel;

[assembly: SupportedOSPlatform("linux")]

namespace Cloister.Agent.Tests.Rig;

/// <summary>What the tests' executable does when it is started as an agent: everything but what only a machine of its own can be asked for.</summary>
internal static class AgentProgram
{
    /// <summary>The tests' executable.</summary>
    public static string Path { get; } = System.IO.Path.ChangeExtension(typeof(AgentProgram).Assembly.Location, null);

    private static async Task<int> Main(string[] arguments)
    {
        if (arguments is [PauseProgram.Verb, var counter]) return await PauseProgram.RunAsync(counter);
        if (arguments is [MountProgram.Verb, var place]) return MountProgram.Run(place);
        if (arguments is not [var folder]) return 64;
        ImageDefinition definition = ImageDefinitionReader.Read(await File.ReadAllBytesAsync(System.IO.Path.Combine(folder, "image.json")));
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(System.IO.Path.Combine(folder, "channel")));
        var machine = new GuestSystem
        {
            Launchers = System.IO.Path.Combine(folder, "launch"),
            CoordinatorPolicy = System.IO.Path.Combine(folder, "coordinator-policy.json"),
            Run = System.IO.Path.Combine(folder, "run"),
            Prepare = _ => { },
            ReachCoordinator = (_, _) => { },
            GiveTpm = user => File.WriteAllText(System.IO.Path.Combine(folder, "tpm"), JsonSerializer.Serialize(user)),
            Issuer = () => throw new InvalidOperationException("Nothing is activated here."),
            Disks = (_, _) => new NoDisks(),
            EndAll = () => { },
        };
        using var children = new Children();
        await using var channel = new GuestChannel(new NetworkStream(socket));
        using var supervisor = new Supervisor(definition, machine, channel, CancellationToken.None);
        return await supervisor.RunAsync(children) is null ? 0 : 1;
    }
}

using System.Runtime.InteropServices;
using System.Text;
using Cloister.Agent.Disks;
using Cloister.Agent.Interop;
using Cloister.Agent.Network;
using Cloister.Agent.Programs;
using Cloister.Agent.Storage;
using Cloister.Images;
using Cloister.Images.Boot;
using Cloister.Images.Channel;
using Cloister.Platform.Tpm;

namespace Cloister.Agent.Control;

/// <summary>The agent as process 1: the machine's real parts, and power off at the end whatever happened.</summary>
internal static class ProcessOne
{
    private const ulong OpenFiles = 65536;

    /// <summary>Lives the machine's life and switches it off.</summary>
    public static async Task RunAsync()
    {
        string? reason;
        try
        {
            reason = await LiveAsync();
        }
        catch (Exception failed) when (failed is not OutOfMemoryException)
        {
            // Process 1 has nobody above it: the kernel's log, which only a debug image shows, and the end of the machine.
            reason = failed.ToString();
        }
        if (reason is not null) await LogAsync(reason);
        ProcessCalls.sync();
        KernelException.Check(ProcessCalls.reboot(ProcessCalls.PowerOff), "reboot", "Power off");
    }

    private static async Task<string?> LiveAsync()
    {
        Limit();
        ImageDefinition definition = ImageDefinitionReader.Read(await File.ReadAllBytesAsync(GuestPaths.Definition));
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var children = new Children();
        await using GuestChannel channel = GuestChannel.Open();
        using var supervisor = new Supervisor(definition, Machine, channel, stop.Token);
        return await supervisor.RunAsync(children);

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }

    private static GuestSystem Machine => new()
    {
        Prepare = Prepare,
        ReachCoordinator = (definition, coordinator) =>
        {
            if (definition.Network.Connect.Contains("coordinator", StringComparer.Ordinal)) PacketFilter.Add(new PacketRule.Connect(coordinator));
            else if (MachineNetwork.AgentConnects(definition)) PacketFilter.Add(new PacketRule.Connect(coordinator, RootOnly: true));
        },
        GiveTpm = TpmAccess.Give,
        Issuer = static () => TpmIssuer.Open(GuestPaths.Tpm),
        Disks = static (definition, reporter) => definition.Disks.IsEmpty ? new NoDisks() : new DataDisks(definition, new DiskSystem(), reporter),
        EndAll = EndAll,
    };

    private static void Prepare(ImageDefinition definition)
    {
        MachineNetwork.Close(definition.Network);
        MemoryMounts.Mount(definition);
        MachineNetwork.Open(definition);
    }

    // No core dumps, of programs neither; and servers open more files than a kernel's first process is given.
    private static void Limit()
    {
        KernelException.Check(ProcessCalls.prctl(ProcessCalls.SetDumpable, 0, 0, 0, 0), "prctl", "No dumps of the agent");
        KernelException.Check(ProcessCalls.setrlimit(ProcessCalls.CoreLimit, [0, 0]), "setrlimit", "No core dumps");
        if (ProcessCalls.setrlimit(ProcessCalls.FileLimit, [OpenFiles, OpenFiles]) != 0 && Marshal.GetLastPInvokeError() is var number and not ProcessCalls.NotPermitted)
            throw new KernelException("setrlimit", "Open files", number);
    }

    private static void EndAll()
    {
        if (ProcessCalls.kill(-1, ProcessCalls.Kill) != 0 && Marshal.GetLastPInvokeError() is var number and not ProcessCalls.NoSuchProcess)
            throw new KernelException("kill", "All processes", number);
    }

    private static async Task LogAsync(string reason)
    {
        try
        {
            await using var log = new FileStream("/dev/kmsg", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            await log.WriteAsync(Encoding.UTF8.GetBytes("<2>cloister-agent: " + reason.ReplaceLineEndings(" ")[..Math.Min(reason.Length, 900)]));
        }
        catch (Exception closed) when (closed is IOException or UnauthorizedAccessException)
        {
            return;
        }
    }
}

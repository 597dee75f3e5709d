using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;

namespace Cloister.Images.Machines;

/// <summary>QEMU, its TPM, and the lines to both; all of it ends together.</summary>
[SupportedOSPlatform("linux")]
internal sealed class MachineProcesses : IAsyncDisposable
{
    private static readonly TimeSpan TpmFarewell = TimeSpan.FromSeconds(10);

    private readonly ChildProcess _tpm, _qemu;

    private MachineProcesses(ChildProcess tpm, ChildProcess qemu, Socket agent, Socket qmp)
    {
        (_tpm, _qemu) = (tpm, qemu);
        Agent = new NetworkStream(agent, ownsSocket: true);
        Qmp = new QmpClient(qmp);
    }

    /// <summary>The machine's agent, once it opens its port.</summary>
    public NetworkStream Agent { get; }

    public QmpClient Qmp { get; }

    /// <summary>The last that QEMU wrote.</summary>
    public string Words => Last(_qemu);

    /// <summary>Starts the TPM, then QEMU, which connects to us: there is no moment at which either waits for a socket that may never come.</summary>
    public static async Task<MachineProcesses> StartAsync(HostTools tools, MachinePlan plan, MachineOptions options, MachineFolder folder, Accelerator accelerator, CancellationToken cancellation)
    {
        using Socket agentListener = SocketPath.Listen(folder.Channel), qmpListener = SocketPath.Listen(folder.Qmp);
        ChildProcess tpm = await StartTpmAsync(tools, options, folder, cancellation);
        ChildProcess? qemu = null;
        try
        {
            (_, string help) = await ChildProcess.RunAsync(tools, folder.Path, tools.Qemu, ["-sandbox", "help"], cancellation);
            bool sandbox = !help.Contains("invalid option", StringComparison.Ordinal);
            qemu = await ChildProcess.StartAsync(tools, folder.Path, tools.Qemu, QemuCommand.Arguments(plan, options, tools, folder, accelerator, sandbox));
            Socket qmp = await AcceptAsync(qmpListener, qemu, cancellation);
            Socket agent = await AcceptAsync(agentListener, qemu, cancellation);
            var processes = new MachineProcesses(tpm, qemu, agent, qmp);
            await processes.Qmp.ExecuteAsync("qmp_capabilities", null, cancellation);
            return processes;
        }
        catch
        {
            if (qemu is not null)
                await qemu.DisposeAsync();
            await tpm.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until QEMU ended, and the TPM behind it; QEMU's exit code.</summary>
    public async Task<int> EndAsync()
    {
        int code = await _qemu.EndAsync(CancellationToken.None);
        await Agent.DisposeAsync();
        await Task.WhenAny(_tpm.EndAsync(CancellationToken.None), Task.Delay(TpmFarewell)); // it writes its state and ends when QEMU is gone
        await _tpm.DisposeAsync();
        return code;
    }

    /// <summary>What QEMU said when it ended though it had connected to us: it makes its devices afterwards.</summary>
    public async Task<ImageException> WhyNotStartedAsync(ImageException gone)
    {
        await QuitAsync(TpmFarewell);
        await _qemu.KillAsync();
        return NotStarted(_qemu, gone);
    }

    /// <summary>Bytes of the root that were read; -1 if QEMU does not say.</summary>
    public async Task<long> RootBytesReadAsync(CancellationToken cancellation)
    {
        JsonNode? counted = await Qmp.ExecuteAsync("query-blockstats", null, cancellation);
        return counted is JsonArray drives && drives.FirstOrDefault(drive => drive?["device"]?.ToString() == QemuCommand.RootDrive)?["stats"]?["rd_bytes"] is JsonValue bytes && bytes.TryGetValue(out long number) ? number : -1;
    }

    /// <summary>Asks QEMU to end, and waits for it that long.</summary>
    public async Task QuitAsync(TimeSpan patience)
    {
        using var waiting = new CancellationTokenSource(patience);
        try
        {
            await Task.WhenAny(Qmp.ExecuteAsync("quit", null, waiting.Token), Task.Delay(patience, waiting.Token));
            await _qemu.EndAsync(waiting.Token);
        }
        catch (OperationCanceledException)
        {
            return; // whoever asked kills it now
        }
    }

    /// <summary>Ends QEMU at once.</summary>
    public Task KillAsync() => _qemu.KillAsync();

    public async ValueTask DisposeAsync()
    {
        await _qemu.DisposeAsync();
        await _tpm.DisposeAsync();
        await Qmp.DisposeAsync();
        await Agent.DisposeAsync();
    }

    private static async Task<ChildProcess> StartTpmAsync(HostTools tools, MachineOptions options, MachineFolder folder, CancellationToken cancellation)
    {
        string ready = folder.In("tpm.pid");
        File.Delete(ready);
        File.Delete(folder.TpmSocket);
        string state = options.TestOnly?.Tpm is { } other ? Path.GetFullPath(other) : Path.GetFileName(folder.Tpm);
        ChildProcess tpm = await ChildProcess.StartAsync(tools, folder.Path, tools.Swtpm,
            ["socket", "--tpm2", "--tpmstate", $"dir={state},mode=0600", "--ctrl", $"type=unixio,path={Path.GetFileName(folder.TpmSocket)},mode=0600", "--pid", $"file={Path.GetFileName(ready)}", "--terminate"]);
        try
        {
            while (!File.Exists(ready))
            {
                if (tpm.HasEnded)
                {
                    await tpm.EndAsync(cancellation);
                    throw new ImageException(ImageError.TpmSetupFailed, $"The machine's TPM did not start: {Last(tpm)}");
                }
                await Task.Delay(10, cancellation);
            }
            return tpm;
        }
        catch
        {
            await tpm.DisposeAsync();
            throw;
        }
    }

    private static async Task<Socket> AcceptAsync(Socket listener, ChildProcess qemu, CancellationToken cancellation)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<Socket> accepted = listener.AcceptAsync(enough.Token).AsTask();
        Task ended = qemu.EndAsync(enough.Token);
        if (await Task.WhenAny(accepted, ended) == accepted)
        {
            await enough.CancelAsync();
            return await accepted;
        }
        await enough.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
        throw NotStarted(qemu, null);
    }

    private static ImageException NotStarted(ChildProcess qemu, Exception? inner) => qemu.Words.Contains("Could not set up host forwarding", StringComparison.Ordinal)
        ? new ImageException(ImageError.PortInUse, $"A port was taken while the machine was started: {Last(qemu)}", inner)
        : new ImageException(ImageError.MachineEnded, $"QEMU did not start: {Last(qemu)}", inner);

    private static string Last(ChildProcess child) => child.Words.Split('\n')[^1] is { Length: > 400 } line ? line[..400] : child.Words.Split('\n')[^1];
}

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Cloister.Bench;

/// <summary>A virtual machine that boots to a web server: how long it took from the command to the first answer, and what it holds of the host's memory then.</summary>
internal sealed class WebMachine : IAsyncDisposable
{
    private readonly Func<Task> _stop;

    private WebMachine(double seconds, double megabytes, Func<Task> stop) => (Seconds, Megabytes, _stop) = (seconds, megabytes, stop);

    public double Seconds { get; }

    public double Megabytes { get; }

    /// <summary>An image of ours.</summary>
    public static async Task<WebMachine> StartMeasuredAsync(string image, string machine, CancellationToken cancellation)
    {
        int port = FreePort();
        long start = Stopwatch.GetTimestamp();
        await Command.RunAsync(Command.Cloister, ["image", "start", image, "--machine", machine, "--port", $"{port}:8080", "--json"], cancellation);
        double seconds = await AnswerAsync(port, start, () => false, cancellation);
        return new WebMachine(seconds, Resident(machine), () => Command.RunAsync(Command.Cloister, ["image", "stop", machine], cancellation));
    }

    /// <summary>What <c>bench/machine/conventional</c> made, with the same devices.</summary>
    public static async Task<WebMachine> StartConventionalAsync(string files, string machine, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.Combine(machine, "tpm"));
        string variables = Path.Combine(machine, "vars.fd"), socket = Path.Combine(machine, "swtpm.sock");
        File.Copy("/usr/share/OVMF/OVMF_VARS_4M.fd", variables);
        int port = FreePort();
        long start = Stopwatch.GetTimestamp();
        Process tpm = Command.Start("swtpm", ["socket", "--tpm2", "--tpmstate", $"dir={machine}/tpm", "--ctrl", $"type=unixio,path={socket}", "--flags", "startup-clear", "--terminate"]);
        while (!File.Exists(socket)) await Task.Delay(20, cancellation);
        Process emulator = Command.Start("qemu-system-x86_64",
        [
            "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,smap=off", "-smp", "1", "-m", "512", "-no-reboot", "-monitor", "none",
            "-netdev", $"user,id=n0,hostfwd=tcp:127.0.0.1:{port}-10.0.2.15:8080", "-device", "virtio-net-pci,romfile=,netdev=n0", "-device", "virtio-rng-pci",
            "-chardev", $"socket,id=chrtpm,path={socket}", "-tpmdev", "emulator,id=tpm0,chardev=chrtpm", "-device", "tpm-tis,tpmdev=tpm0",
            "-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd", "-drive", $"if=pflash,format=raw,unit=1,file={variables}",
            "-kernel", Path.Combine(files, "vmlinuz"), "-initrd", Path.Combine(files, "initrd.gz"), "-append", "quiet panic=-1",
            "-drive", $"if=none,id=root,format=raw,readonly=on,file={files}/root.squashfs", "-device", "virtio-blk-pci,drive=root",
        ]);
        double seconds = await AnswerAsync(port, start, () => emulator.HasExited, cancellation);
        return new WebMachine(seconds, Resident(machine), async () =>
        {
            emulator.Kill();
            await emulator.WaitForExitAsync(cancellation);
            await tpm.WaitForExitAsync(cancellation);
            emulator.Dispose();
            tpm.Dispose();
        });
    }

    public async ValueTask DisposeAsync() => await _stop();

    private static async Task<double> AnswerAsync(int port, long start, Func<bool> ended, CancellationToken cancellation)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        while (!ended() && Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(5))
        {
            try
            {
                await client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/"), cancellation);
                return Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
            catch (Exception early) when (early is HttpRequestException or TaskCanceledException)
            {
                await Task.Delay(50, cancellation);
            }
        }
        throw new InvalidOperationException("The machine did not come up.");
    }

    // Of QEMU and swtpm, which work in the machine's folder or name it on their command lines.
    private static double Resident(string machine) => Directory.EnumerateDirectories("/proc")
        .Where(process => int.TryParse(Path.GetFileName(process), out _) && Try(process, "comm") is { } name
            && (name.StartsWith("qemu", StringComparison.Ordinal) || name.StartsWith("swtpm", StringComparison.Ordinal)) && Names(process, machine))
        .Sum(process => Try(process, "status")?.Split('\n').FirstOrDefault(one => one.StartsWith("VmRSS:", StringComparison.Ordinal)) is { } resident
            ? double.Parse(resident[6..^2].Trim(), CultureInfo.InvariantCulture) * 1024 / 1e6 : 0);

    private static bool Names(string process, string machine) =>
        Directory.ResolveLinkTarget(Path.Combine(process, "cwd"), returnFinalTarget: false)?.FullName == machine || Try(process, "cmdline") is { } line && line.Contains(machine, StringComparison.Ordinal);

    private static string? Try(string process, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, file));
        }
        catch (IOException)
        {
            return null; // it ended
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

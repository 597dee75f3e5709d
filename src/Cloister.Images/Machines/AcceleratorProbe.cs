using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;

namespace Cloister.Images.Machines;

/// <summary>
/// Whether KVM really runs a machine here: /dev/kvm opens on computers where a guest's first instructions fail. The firmware is booted
/// under it for a few seconds and must write something to its serial console; the result holds for this boot of this computer.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class AcceleratorProbe
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Chooses; <c>Why</c> is a line for people.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.AcceleratorUnusable"/>: KVM was asked for by name and does not work.</exception>
    public static async Task<(Accelerator Chosen, string Why)> ChooseAsync(Accelerator wanted, HostTools tools, string state, CancellationToken cancellation)
    {
        if (wanted == Accelerator.Tcg)
            return (Accelerator.Tcg, "emulated (TCG), as asked for");
        string? problem = await ProblemAsync(tools, state, cancellation);
        if (problem is null)
            return (Accelerator.Kvm, "under KVM");
        if (wanted == Accelerator.Kvm)
            throw new ImageException(ImageError.AcceleratorUnusable, $"KVM does not work here: {problem}. `--accelerator tcg` emulates.");
        return (Accelerator.Tcg, $"emulated (TCG, slow): KVM does not work here: {problem}");
    }

    private static async Task<string?> ProblemAsync(HostTools tools, string state, CancellationToken cancellation)
    {
        if (!File.Exists("/dev/kvm"))
            return "there is no /dev/kvm";
        Directory.CreateDirectory(state);
        string remembered = Path.Combine(state, "kvm");
        string key = HostProcess.Boot() + " " + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(tools.Qemu + File.GetLastWriteTimeUtc(tools.Qemu).Ticks)))[..16];
        if (File.Exists(remembered) && (await File.ReadAllLinesAsync(remembered, cancellation)) is [var of, var result] && of == key)
            return result.Length == 0 ? null : result;
        string? problem = await ProbeAsync(tools, state, cancellation);
        string unfinished = $"{remembered}.{Environment.ProcessId}";
        await File.WriteAllTextAsync(unfinished, key + "\n" + problem + "\n", cancellation);
        File.Move(unfinished, remembered, overwrite: true);
        return problem;
    }

    private static async Task<string?> ProbeAsync(HostTools tools, string state, CancellationToken cancellation)
    {
        await using ChildProcess qemu = await ChildProcess.StartAsync(tools, state, tools.Qemu,
            [.. QemuCommand.Base(tools, Accelerator.Kvm, 128, 1), "-drive", $"if=pflash,format=raw,unit=1,readonly=on,file={tools.Variables}", "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task ended = qemu.EndAsync(patience.Token);
        Task spoke = qemu.Spoke;
        Task first = await Task.WhenAny(ended, spoke, Task.Delay(Patience, cancellation));
        await patience.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
        if (first == spoke && !qemu.HasEnded)
            return null;
        string words = qemu.Words.ReplaceLineEndings(" ");
        return first == ended || first == spoke ? $"QEMU ended: {words[..Math.Min(words.Length, 200)]}" : "the firmware wrote nothing for ten seconds";
    }
}

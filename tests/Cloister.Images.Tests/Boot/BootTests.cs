using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using Cloister.Attestation.Measurements;
using Cloister.Images;
using Cloister.Images.Boot;
using Cloister.Images.Boot.Programs;
using Cloister.Images.Build;
using Xunit.Abstractions;

namespace Cloister.Tests.Boot;

/// <summary>Boots a small image in an emulated machine, with UEFI firmware and a TPM: what the TPM then shows is what was predicted.</summary>
public sealed class BootTests(ITestOutputHelper output)
{
    private const int WriteOnly = 1, DigestText = 64;

    // Power off, by its two magic numbers (reboot(2)).
    private const long Magic1 = 0xFEE1DEAD, Magic2 = 672274793, PowerOff = 0x4321FEDC;

    [MachineFact]
    public async Task The_predicted_registers_are_the_real_ones_and_another_root_ends_the_machine()
    {
        using var folder = new Folder();
        RootDisk root = await MakeRootAsync(folder);
        byte[] uki = UnifiedKernel.Build(KernelFactAttribute.Kernel!, new ImageDefinition { Name = "boot", Debug = true }, root, new Dictionary<string, ReadOnlyMemory<byte>> { ["image.json"] = "{}"u8.ToArray() });
        string image = folder.File("uki.efi", uki);

        string good = await BootAsync(folder, "good", image, root.Path);
        string[] real = [.. good.Split('\n').Where(line => line.StartsWith("PCR ", StringComparison.Ordinal)).Select(line => line.Trim().ToLowerInvariant())];
        ImmutableSortedDictionary<int, string> predicted = BootPrediction.Predict(uki, BootPath.Kernel).Value;
        Assert.True(real.Length == predicted.Count, Tail(good));
        Assert.Equal(predicted.Select(pcr => $"pcr {pcr.Key} {pcr.Value}"), real);

        // The agent's own block, in a copy: everything before it is as it was.
        byte[] disk = await File.ReadAllBytesAsync(root.Path);
        disk[disk.AsSpan().IndexOf("REGISTERS"u8)] ^= 1;
        string changed = await BootAsync(folder, "changed", image, folder.File("changed.img", disk));
        Assert.DoesNotContain("\nPCR ", changed, StringComparison.Ordinal);
        Assert.True(changed.Contains("corrupted", StringComparison.Ordinal) && changed.Contains("Kernel panic", StringComparison.Ordinal), Tail(changed));
    }

    // The agent says the registers on a serial line of its own, where the kernel's messages do not come between, and powers off.
    private static byte[] Agent()
    {
        var program = new StaticProgram("agent");
        program.Text("REGISTERS");
        Operand line = program.Take("open", SystemCall.Open, program.Text("/dev/ttyS1"), WriteOnly, 0);
        foreach (int pcr in BootPrediction.Pcrs)
        {
            string name = $"\nPCR {pcr} ";
            long digest = program.Bytes(new byte[DigestText]);
            Operand file = program.Take("register", SystemCall.Open, program.Text($"/sys/class/tpm/tpm0/pcr-sha256/{pcr}"), 0, 0);
            program.Do("read", (SystemCall)0, file, digest, DigestText);
            program.Do("say", SystemCall.Write, line, program.Text(name), name.Length);
            program.Do("say", SystemCall.Write, line, digest, DigestText);
        }
        program.Do("say", SystemCall.Write, line, program.Text("\n"), 1);
        program.Do("drain", SystemCall.Ioctl, line, 0x5409, 1);
        program.Do("power off", SystemCall.Reboot, Magic1, Magic2, PowerOff, 0);
        return program.Build();
    }

    private static async Task<RootDisk> MakeRootAsync(Folder folder)
    {
        foreach (string point in GuestPaths.MountPoints) Directory.CreateDirectory($"{folder.Path}/root{point}");
        string agent = folder.File("root" + GuestPaths.Agent, Agent());
        File.SetUnixFileMode(agent, (UnixFileMode)0b101_101_101);
        string disk = folder.Path + "/root.img";
        await Tool.RunAsync(Tool.Find("mksquashfs", "squashfs-tools"), [folder.Path + "/root", disk, "-all-root", "-noI", "-noD", "-noF", "-no-fragments", "-no-progress", "-quiet"], default);
        return await VerityTree.AppendAsync(disk, null, default);
    }

    private async Task<string> BootAsync(Folder folder, string name, string image, string root)
    {
        string machine = Directory.CreateDirectory($"{folder.Path}/{name}").FullName, serial = machine + "/serial", registers = machine + "/registers";
        Directory.CreateDirectory(machine + "/tpm");
        File.Copy(MachineFactAttribute.Variables, machine + "/variables");
        await Tool.RunAsync(Tool.Find("swtpm_setup", "swtpm-tools"), ["--tpm2", "--tpmstate", machine + "/tpm", "--pcr-banks", "sha256"], default);
        long started = Stopwatch.GetTimestamp();
        using Process tpm = Process.Start(Tool.Find("swtpm", "swtpm"), ["socket", "--tpm2", "--tpmstate", $"dir={machine}/tpm", "--ctrl", $"type=unixio,path={machine}/sock", "--terminate", "--log", $"file={machine}/log"]);
        try
        {
            // swtpm makes its socket in a moment; QEMU itself does not wait for it.
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(240));
            while (!File.Exists(machine + "/sock")) await Task.Delay(20, limit.Token);
            await Tool.RunAsync(Tool.Find("qemu-system-x86_64", "qemu-system-x86"),
            [
                "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,smap=off", "-smp", "1", "-m", "256", "-no-reboot", "-monitor", "none",
                "-device", "virtio-serial-pci,max_ports=2", "-chardev", "null,id=agent", "-device", "virtserialport,nr=1,chardev=agent,name=cloister.agent",
                "-serial", $"file:{serial}", "-serial", $"file:{registers}", "-device", "virtio-rng-pci",
                "-chardev", $"socket,id=tpm,path={machine}/sock", "-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm0",
                "-drive", $"if=pflash,format=raw,unit=0,readonly=on,file={MachineFactAttribute.Firmware}", "-drive", $"if=pflash,format=raw,unit=1,file={machine}/variables",
                "-kernel", image, "-drive", $"if=none,id=root,format=raw,readonly=on,file={root}", "-device", "virtio-blk-pci,drive=root",
            ], limit.Token);
        }
        finally
        {
            if (!tpm.HasExited) tpm.Kill();
            await tpm.WaitForExitAsync();
        }
        output.WriteLine($"{name}: {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");
        return Encoding.Latin1.GetString([.. await File.ReadAllBytesAsync(registers), .. await File.ReadAllBytesAsync(serial)]);
    }

    private static string Tail(string text) => text.Length > 4000 ? text[^4000..] : text;
}

/// <summary>A fact that boots a machine; skipped, with the reason, where something for it is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MachineFactAttribute : FactAttribute
{
    public const string Firmware = "/usr/share/OVMF/OVMF_CODE_4M.fd", Variables = "/usr/share/OVMF/OVMF_VARS_4M.fd";

    public MachineFactAttribute() => Skip = Missing() ?? new KernelFactAttribute().Skip;

    private static string? Missing()
    {
        try
        {
            foreach ((string tool, string package) in new[] { ("qemu-system-x86_64", "qemu-system-x86"), ("swtpm", "swtpm"), ("swtpm_setup", "swtpm-tools"), ("mksquashfs", "squashfs-tools") }) Tool.Find(tool, package);
        }
        catch (ImageException missing)
        {
            return missing.Message;
        }
        return File.Exists(Firmware) && File.Exists(Variables) ? null : "OVMF is not on this machine; install it: apt-get install -y --no-install-recommends ovmf";
    }
}

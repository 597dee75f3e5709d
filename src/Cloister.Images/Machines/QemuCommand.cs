using System.Globalization;
using System.Runtime.Versioning;
using Cloister.Attestation.Measurements;

namespace Cloister.Images.Machines;

/// <summary>QEMU's arguments for a machine: no device that is not needed, nothing that a configuration of this computer could add.</summary>
[SupportedOSPlatform("linux")]
internal static class QemuCommand
{
    /// <summary>The name under which the agent finds its port.</summary>
    public const string AgentPort = "cloister.agent";

    /// <summary>The root disk's name in what QEMU counts.</summary>
    public const string RootDrive = "root";

    /// <summary>The arguments. Sockets and the variables' file are named relative to the machine's folder, where QEMU runs: a socket's path has at most 107 bytes.</summary>
    public static IEnumerable<string> Arguments(MachinePlan plan, MachineOptions options, HostTools tools, MachineFolder folder, Accelerator accelerator, bool sandbox)
    {
        foreach (string argument in Base(tools, accelerator, plan.Definition.Machine.Memory, plan.Definition.Machine.Cpus))
            yield return argument;
        if (sandbox)
            foreach (string argument in (string[])["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"])
                yield return argument;
        foreach (string argument in (string[])
        [
            "-drive", $"if=pflash,format=raw,unit=1,file={Path.GetFileName(folder.Variables)}",
            "-serial", plan.Definition.Debug ? "file:" + Path.GetFileName(folder.Console) : "none",
            "-chardev", $"socket,id=qmp,server=off,path={Path.GetFileName(folder.Qmp)}", "-mon", "chardev=qmp,mode=control",
            "-chardev", $"socket,id=tpm,path={Path.GetFileName(folder.TpmSocket)}", "-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm0",
            "-chardev", $"socket,id=agent,server=off,path={Path.GetFileName(folder.Channel)}", "-device", "virtio-serial-pci,max_ports=2", "-device", $"virtserialport,nr=1,chardev=agent,name={AgentPort}",
            "-device", "virtio-rng-pci",
            "-netdev", Network(plan), "-device", "virtio-net-pci,romfile=,netdev=net",
            "-drive", $"if=none,id={RootDrive},format=raw,readonly=on,file={Quoted(plan.Root)}", "-device", $"virtio-blk-pci,drive={RootDrive}",
        ])
            yield return argument;
        foreach (string argument in Boot(plan, options, folder))
            yield return argument;
        foreach ((DataDisk disk, string file) in plan.Disks)
            foreach (string argument in (string[])["-drive", $"if=none,id=data-{disk.Name},format=raw,cache=writeback,file={Quoted(file)}", "-device", $"virtio-blk-pci,drive=data-{disk.Name},serial={disk.Name}"])
                yield return argument;
        if (options.TestOnly is { } tampering)
            foreach (string argument in tampering.Arguments)
                yield return argument;
    }

    /// <summary>What every machine has, the probe of KVM included.</summary>
    public static string[] Base(HostTools tools, Accelerator accelerator, int memory, int cpus) =>
    [
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "q35", "-rtc", "base=utc",
        "-accel", accelerator == Accelerator.Kvm ? "kvm" : "tcg,thread=multi",
        // Emulated SMAP takes a user's iretq for the kernel's own access (QEMU 7.2), which .NET uses: the guest's kernel would stop.
        "-cpu", accelerator == Accelerator.Kvm ? "host" : "max,smap=off",
        "-smp", cpus.ToString(CultureInfo.InvariantCulture), "-m", memory.ToString(CultureInfo.InvariantCulture),
        "-drive", $"if=pflash,format=raw,unit=0,readonly=on,file={Quoted(tools.Firmware)}",
    ];

    private static string[] Boot(MachinePlan plan, MachineOptions options, MachineFolder folder)
    {
        if (options.Boot == BootPath.Disk)
            return ["-drive", $"if=none,id=esp,format=raw,readonly=on,file={Quoted(folder.In("esp.img"))}", "-device", "virtio-blk-pci,drive=esp,bootindex=0"];
        return options.TestOnly?.CommandLine is { } commandLine ? ["-kernel", plan.Uki, "-append", commandLine] : ["-kernel", plan.Uki];
    }

    private static string Network(MachinePlan plan)
    {
        string guest = plan.Definition.Network.Address.Split('/')[0];
        string forwards = string.Concat(plan.Ports.Select(port => string.Create(CultureInfo.InvariantCulture, $",hostfwd=tcp:{port.Address}:{port.Host}-{guest}:{port.Guest}")));
        return $"user,id=net,ipv6=off,net={MachinePlan.Masked(plan.Definition.Network.Address)},host={MachinePlan.HostSeenFrom(plan.Definition.Network)},dhcpstart={guest}{forwards}";
    }

    // A comma ends a value in QEMU's options unless it is doubled.
    private static string Quoted(string path) => path.Replace(",", ",,", StringComparison.Ordinal);
}

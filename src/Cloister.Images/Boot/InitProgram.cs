using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Cloister.Images.Boot.Programs;
using Cloister.Images.Build;

namespace Cloister.Images.Boot;

/// <summary>
/// Process 1 of a machine until the agent takes its place: mounts what the kernel offers, loads the modules, opens the root
/// through dm-verity, makes it the root, closes the kernel and executes the agent. A step that fails ends it, and the kernel's
/// panic ends the machine.
/// </summary>
internal static class InitProgram
{
    /// <summary>Where the initrd has the modules and the configuration.</summary>
    public const string Modules = "/modules", Configuration = "/config";

    private const string Root = "/root", Disk = "/dev/vda", Verity = "/dev/dm-0", VerityName = "root";

    private const long ReadOnly = 1, NoSetUid = 2, NoDevices = 4, NoExecution = 8, Remount = 32, Bind = 4096, Move = 8192, Nothing = NoSetUid | NoDevices | NoExecution;

    private const int ReadWrite = 2, WriteOnly = 1, CloseOnExec = 0x80000, DeviceSeconds = 60, CoreLimit = 4;

    private const long CreateDevice = 0xC138FD03, LoadTable = 0xC138FD09, Resume = 0xC138FD06;

    private const int DeviceRequest = 312, TargetHead = 40, DeviceReadOnly = 1, Sector = 512;

    /// <summary>Makes the program.</summary>
    /// <param name="root">The root's disk and the hash that every block of it leads to.</param>
    /// <param name="modules">Modules to load, in order, with whether the machine starts without them.</param>
    /// <param name="debug">Whether the console is the agent's.</param>
    /// <param name="console">Whether a failure may be said on the serial line.</param>
    public static byte[] Build(RootDisk root, IEnumerable<(string Name, bool Optional)> modules, bool debug, bool console)
    {
        var program = new StaticProgram("init", console ? ["/dev/kmsg", "/dev/ttyS0"] : ["/dev/kmsg"]);
        program.Try(SystemCall.Umask, 0x12);
        Mount(program, "devtmpfs", "/dev", "devtmpfs", NoSetUid | NoExecution, "mode=0755");
        OpenStreams(program, debug ? "/dev/console" : "/dev/null");
        Mount(program, "proc", "/proc", "proc", Nothing, "hidepid=invisible");
        Mount(program, "sysfs", "/sys", "sysfs", Nothing | ReadOnly, null);
        foreach ((string name, bool optional) in modules) LoadModule(program, name, optional);
        Mount(program, "securityfs", "/sys/kernel/security", "securityfs", Nothing, null);
        foreach ((string target, string link) in new[] { ("/proc/self/fd", "/dev/fd"), ("/proc/self/fd/0", "/dev/stdin"), ("/proc/self/fd/1", "/dev/stdout"), ("/proc/self/fd/2", "/dev/stderr") })
            program.Do($"link {link}", SystemCall.Symlink, program.Text(target), program.Text(link));
        program.Do("make /dev/shm", SystemCall.Mkdir, program.Text("/dev/shm"), 0x3FF);
        Mount(program, "tmpfs", "/dev/shm", "tmpfs", Nothing, "mode=1777,size=64m");
        foreach (string device in new[] { "/dev/mem", "/dev/snapshot", "/dev/userfaultfd", "/dev/cpu_dma_latency" })
            program.Do($"remove {device}", SystemError.NotFound, SystemCall.Unlink, program.Text(device));
        foreach (string device in new[] { GuestPaths.Channel, GuestPaths.Tpm }) Await(program, device);

        OpenRoot(program, root);
        Mount(program, Verity, Root, "squashfs", ReadOnly | NoSetUid | NoDevices, null);
        Mount(program, "tmpfs", Root + "/run", "tmpfs", Nothing, "mode=0755,size=75%");
        Mount(program, "tmpfs", Root + "/tmp", "tmpfs", Nothing, "mode=1777,size=64m");
        string configuration = Root + GuestPaths.Configuration;
        program.Do("configuration", SystemCall.Mount, program.Text(Configuration), program.Text(configuration), 0, Bind, 0);
        program.Do("configuration, read only", SystemCall.Mount, 0, program.Text(configuration), 0, Bind | Remount | ReadOnly | Nothing, 0);
        foreach (string moved in new[] { "/dev", "/proc", "/sys" })
            program.Do($"move {moved}", SystemCall.Mount, program.Text(moved), program.Text(Root + moved), 0, Move, 0);
        program.Do("enter the root", SystemCall.Chdir, program.Text(Root));
        program.Do("move the root", SystemCall.Mount, program.Text("."), program.Text("/"), 0, Move, 0);
        program.Do("change the root", SystemCall.Chroot, program.Text("."));
        program.Do("go to the root", SystemCall.Chdir, program.Text("/"));

        foreach (string hidden in new[] { "/proc/kcore", "/proc/keys", "/proc/kallsyms", "/proc/sysrq-trigger" })
            program.Do($"hide {hidden}", SystemCall.Mount, program.Text("/dev/null"), program.Text(hidden), 0, Bind, 0);
        foreach ((string setting, string value) in KernelSettings.Of(debug)) Set(program, setting, value);
        program.Do("core limit", SystemCall.Setrlimit, CoreLimit, program.Bytes(new byte[16]));
        program.Do("start the agent", SystemCall.Execve, program.Text(GuestPaths.Agent), program.List(program.Text(GuestPaths.Agent)),
            program.List(program.Text("HOME=/"), program.Text("LD_LIBRARY_PATH=" + AgentProgram.Folder), program.Text("OPENSSL_CONF=/dev/null"), program.Text("DOTNET_EnableDiagnostics=0"), program.Text("DOTNET_TieredPGO=0"), program.Text("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1")));
        return program.Build();
    }

    private static void Mount(StaticProgram program, string source, string target, string type, long flags, string? options) =>
        program.Do($"mount {target}", SystemCall.Mount, program.Text(source), program.Text(target), program.Text(type), flags, options is null ? 0 : program.Text(options));

    private static void OpenStreams(StaticProgram program, string path)
    {
        Operand file = program.Take($"open {path}", SystemCall.Open, program.Text(path), ReadWrite, 0);
        for (int stream = 0; stream < 3; stream++) program.Do("standard streams", SystemCall.Dup2, file, stream);
        program.Do("close files", SystemCall.CloseRange, 3, uint.MaxValue, 0);
    }

    private static void LoadModule(StaticProgram program, string name, bool optional)
    {
        string path = $"{Modules}/{name}.ko";
        Operand file = program.Take($"open {name}", SystemCall.Open, program.Text(path), CloseOnExec, 0);
        if (optional) program.Try(SystemCall.FinitModule, file, program.Text(""), 0);
        else program.Do($"load {name}", SystemCall.FinitModule, file, program.Text(""), 0);
        program.Do("close", SystemCall.Close, file);
        program.Do($"remove {name}", SystemCall.Unlink, program.Text(path));
    }

    // A mapped device of one target: Linux Documentation/admin-guide/device-mapper/verity.rst, include/uapi/linux/dm-ioctl.h.
    private static void OpenRoot(StaticProgram program, RootDisk root)
    {
        Await(program, Disk);
        string table = string.Create(CultureInfo.InvariantCulture,
            $"1 {Disk} {Disk} {RootDisk.BlockSize} {RootDisk.BlockSize} {root.DataBlocks} {root.DataBlocks} sha256 {Convert.ToHexStringLower(root.RootHash.Span)} {Convert.ToHexStringLower(root.Salt.Span)} 1 panic_on_corruption");
        byte[] parameters = Encoding.ASCII.GetBytes(table + '\0');
        var load = new byte[(DeviceRequest + TargetHead + parameters.Length + 7) / 8 * 8];
        Request(load, targets: 1, DeviceReadOnly);
        Span<byte> target = load.AsSpan(DeviceRequest);
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], root.DataBlocks * (RootDisk.BlockSize / Sector));
        BinaryPrimitives.WriteInt32LittleEndian(target[20..], load.Length - DeviceRequest);
        "verity"u8.CopyTo(target[24..]);
        parameters.CopyTo(target[TargetHead..]);
        var create = new byte[DeviceRequest];
        var resume = new byte[DeviceRequest];
        Request(create, targets: 0, 0);
        Request(resume, targets: 0, 0);

        Operand control = program.Await("device mapper", DeviceSeconds, SystemCall.Open, program.Text("/dev/mapper/control"), ReadWrite | CloseOnExec, 0);
        program.Do("make the verity device", SystemCall.Ioctl, control, CreateDevice, program.Bytes(create));
        program.Do("verity", SystemCall.Ioctl, control, LoadTable, program.Bytes(load));
        program.Do("start the verity device", SystemCall.Ioctl, control, Resume, program.Bytes(resume));
        program.Do("close", SystemCall.Close, control);
        Await(program, Verity);
    }

    private static void Await(StaticProgram program, string device) => program.Await($"wait for {device}", DeviceSeconds, SystemCall.Access, program.Text(device), 0);

    private static void Request(Span<byte> request, int targets, int flags)
    {
        BinaryPrimitives.WriteInt32LittleEndian(request, 4);
        BinaryPrimitives.WriteInt32LittleEndian(request[12..], request.Length);
        BinaryPrimitives.WriteInt32LittleEndian(request[16..], DeviceRequest);
        BinaryPrimitives.WriteInt32LittleEndian(request[20..], targets);
        BinaryPrimitives.WriteInt32LittleEndian(request[28..], flags);
        Encoding.ASCII.GetBytes(VerityName, request[48..]);
    }

    private static void Set(StaticProgram program, string setting, string value)
    {
        Operand file = program.Take($"open {setting}", SystemCall.Open, program.Text("/proc/sys/" + setting), WriteOnly | CloseOnExec, 0);
        program.Do($"set {setting}", SystemCall.Write, file, program.Text(value + '\n'), Encoding.ASCII.GetByteCount(value) + 1);
        program.Do("close", SystemCall.Close, file);
    }
}

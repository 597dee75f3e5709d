using System.Buffers.Binary;

namespace Cloister.Images.Boot.Programs;

/// <summary>
/// The seccomp filter of launched programs (Linux Documentation/userspace-api/seccomp_filter.rst): calls that manage the kernel,
/// look into other processes, make namespaces or reach the host by other ways than the network are denied. Programs in general
/// run unchanged: the list is that of what no ordinary program needs.
/// </summary>
internal static class SystemCallFilter
{
    private const uint Amd64 = 0xC000003E, X32 = 0x40000000;
    private const int NumberAt = 0, ArchitectureAt = 4, ArgumentsAt = 16;
    private const ushort Load = 0x20, JumpEqual = 0x15, JumpFrom = 0x35, JumpSet = 0x45, Return = 0x06;
    private const uint Allow = 0x7FFF0000, Fail = 0x00050000, Kill = 0x80000000;

    // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
    private const uint NewNamespaces = 0x7E020000;

    private const uint TerminalInput = 0x5412, TerminalLinux = 0x541C;

    private static readonly SystemCall[] Denied =
    [
        SystemCall.Ptrace, SystemCall.ProcessRead, SystemCall.ProcessWrite, SystemCall.ProcessAdvise, SystemCall.CompareResources, SystemCall.PidFdGetFd,
        SystemCall.Bpf, SystemCall.PerfEventOpen, SystemCall.UserFaultFd, SystemCall.IoUringSetup, SystemCall.IoUringEnter, SystemCall.IoUringRegister,
        SystemCall.AddKey, SystemCall.RequestKey, SystemCall.KeyControl, SystemCall.Unshare, SystemCall.SetNamespace,
        SystemCall.Mount, SystemCall.Umount, SystemCall.PivotRoot, SystemCall.Chroot, SystemCall.OpenTree, SystemCall.MoveMount, SystemCall.FsOpen,
        SystemCall.FsConfig, SystemCall.FsMount, SystemCall.FsPick, SystemCall.MountSetAttributes,
        SystemCall.KexecLoad, SystemCall.KexecFileLoad, SystemCall.InitModule, SystemCall.FinitModule, SystemCall.DeleteModule, SystemCall.CreateModule,
        SystemCall.QueryModule, SystemCall.GetKernelSymbols, SystemCall.Reboot, SystemCall.SwapOn, SystemCall.SwapOff, SystemCall.Acct, SystemCall.Syslog,
        SystemCall.QuotaControl, SystemCall.QuotaControlFd, SystemCall.NfsServerControl, SystemCall.LookupDcookie, SystemCall.Sysctl, SystemCall.UseLib,
        SystemCall.Iopl, SystemCall.Ioperm, SystemCall.ModifyLdt, SystemCall.Vhangup, SystemCall.SetHostName, SystemCall.SetDomainName,
        SystemCall.SetTimeOfDay, SystemCall.ClockSetTime, SystemCall.ClockAdjust, SystemCall.Adjtimex,
        SystemCall.NameToHandle, SystemCall.OpenByHandle, SystemCall.FanotifyInit, SystemCall.MovePages, SystemCall.MigratePages,
    ];

    /// <summary>The filter's instructions, struct sock_filter each.</summary>
    public static byte[] Instructions()
    {
        var filter = new List<Instruction>
        {
            new(Load, ArchitectureAt),
            new(JumpEqual, Amd64, Otherwise: Target.Kill),
            new(Load, NumberAt),
            new(JumpFrom, X32, Then: Target.Kill),
        };
        filter.AddRange(Denied.Select(call => new Instruction(JumpEqual, (uint)call, Then: Target.Denied)));

        // clone3 takes its flags from memory, where a filter cannot look: libraries fall back to clone.
        filter.Add(new(JumpEqual, (uint)SystemCall.Clone3, Then: Target.NotImplemented));
        Case(filter, SystemCall.Clone, 0, new Instruction(JumpSet, NewNamespaces, Then: Target.Denied, Otherwise: Target.Allowed));
        Case(filter, SystemCall.Ioctl, 1, new Instruction(JumpEqual, TerminalInput, Then: Target.Denied), new Instruction(JumpEqual, TerminalLinux, Then: Target.Denied, Otherwise: Target.Allowed));
        Case(filter, SystemCall.Personality, 0, new Instruction(JumpEqual, 0, Then: Target.Allowed), new Instruction(JumpEqual, uint.MaxValue, Then: Target.Allowed, Otherwise: Target.Denied));

        // Sockets of Unix, IPv4, IPv6 and routing information. No vsock: it leads to the host past the packet filter.
        Case(filter, SystemCall.Socket, 0,
            new Instruction(JumpEqual, 1, Then: Target.Allowed), new Instruction(JumpEqual, 2, Then: Target.Allowed), new Instruction(JumpEqual, 10, Then: Target.Allowed),
            new Instruction(JumpEqual, 16, Otherwise: Target.AddressFamily), new Instruction(Load, ArgumentsAt + 2 * 8), new Instruction(JumpEqual, 0, Then: Target.Allowed, Otherwise: Target.AddressFamily));

        Target[] returns = [Target.Allowed, Target.Denied, Target.NotImplemented, Target.AddressFamily, Target.Kill];
        uint[] values = [Allow, Fail | (uint)SystemError.NotPermitted, Fail | (uint)SystemError.NotImplemented, Fail | (uint)SystemError.AddressFamily, Kill];
        int body = filter.Count;
        filter.AddRange(values.Select(value => new Instruction(Return, value)));

        var bytes = new byte[filter.Count * 8];
        for (int i = 0; i < filter.Count; i++)
        {
            Instruction one = filter[i];
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(i * 8), one.Code);
            bytes[i * 8 + 2] = Distance(one.Then);
            bytes[i * 8 + 3] = Distance(one.Otherwise);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * 8 + 4), one.Value);
            byte Distance(Target target) => target switch
            {
                Target.Next => 0,
                Target.Skip => checked((byte)one.Skipped),
                _ => checked((byte)(body + Array.IndexOf(returns, target) - i - 1)),
            };
        }
        return bytes;
    }

    // If it is this call, looks at the low half of an argument and decides; else goes on.
    private static void Case(List<Instruction> filter, SystemCall call, int argument, params Instruction[] decisions)
    {
        filter.Add(new Instruction(JumpEqual, (uint)call, Otherwise: Target.Skip) { Skipped = decisions.Length + 1 });
        filter.Add(new Instruction(Load, (uint)(ArgumentsAt + argument * 8)));
        filter.AddRange(decisions);
    }

    private enum Target
    {
        Next,
        Skip,
        Allowed,
        Denied,
        NotImplemented,
        AddressFamily,
        Kill,
    }

    private sealed record Instruction(ushort Code, uint Value, Target Then = Target.Next, Target Otherwise = Target.Next)
    {
        public int Skipped { get; init; }
    }
}

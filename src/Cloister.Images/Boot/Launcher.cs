using System.Buffers.Binary;
using Cloister.Images.Boot.Programs;

namespace Cloister.Images.Boot;

/// <summary>
/// The small program between the agent and an entry point: it gives up every right, then executes its arguments
/// (<c>launcher program [argument...]</c>) with the environment it was given. A step that fails is written to standard error and
/// ends it with <see cref="NotPrepared"/>; a program that cannot be executed ends it with <see cref="NotExecuted"/>.
/// </summary>
public static class Launcher
{
    /// <summary>Exit code if a right could not be given up.</summary>
    public const int NotPrepared = 126;

    /// <summary>Exit code if the program could not be executed.</summary>
    public const int NotExecuted = 127;

    private const int CoreLimit = 4, ParentDeathSignal = 1, DropBounding = 24, SetSecureBits = 28, NoNewPrivileges = 38, Ambient = 47, ClearAmbient = 4, FilterMode = 1;

    // SECBIT_NOROOT, KEEP_CAPS off, NO_CAP_AMBIENT_RAISE, NO_SETUID_FIXUP off, each locked.
    private const int SecureBits = 0xEB;

    // All that a 64-bit set can name: a kernel that knows fewer answers EINVAL for the rest.
    private const int Capabilities = 64;

    private const uint CapabilityVersion = 0x20080522;

    /// <summary>
    /// Makes the launcher of an entry point. In a debug image no system call is filtered, and user 0 keeps its capabilities; all
    /// else is the same.
    /// </summary>
    /// <exception cref="ArgumentException">The entry runs as user 0 and the image is not a debug image, or its directory is not absolute.</exception>
    public static byte[] Build(EntryPoint entry, bool debug)
    {
        if (entry.User < 0 || (entry.User == 0 && !debug)) throw new ArgumentException("Only debug images run programs as user 0.", nameof(entry));
        if (!entry.Directory.StartsWith('/')) throw new ArgumentException("The working directory is not absolute.", nameof(entry));
        var program = new StaticProgram("launcher") { FailureCode = NotPrepared };
        program.DemandArguments(2);

        // Nothing of the agent's is inherited but the three standard streams.
        program.Do("close files", SystemCall.CloseRange, 3, uint.MaxValue, 0);
        program.Try(SystemCall.Setsid);
        program.Do("umask", SystemCall.Umask, 0x12);
        program.Do("core limit", SystemCall.Setrlimit, CoreLimit, program.Bytes(new byte[16]));
        program.Do("signal of the parent's death", SystemCall.Prctl, ParentDeathSignal, 0, 0, 0, 0);
        bool keepsRoot = debug && entry.User == 0;
        if (!keepsRoot)
        {
            program.Do("secure bits", SystemCall.Prctl, SetSecureBits, SecureBits, 0, 0, 0);
            for (int capability = 0; capability < Capabilities; capability++)
                program.Do($"capability {capability}", SystemError.Invalid, SystemCall.Prctl, DropBounding, capability, 0, 0, 0);
            program.Do("ambient capabilities", SystemCall.Prctl, Ambient, ClearAmbient, 0, 0, 0);
        }
        program.Do("groups", SystemCall.Setgroups, 0, 0);
        program.Do("group", SystemCall.Setresgid, entry.User, entry.User, entry.User);
        program.Do("user", SystemCall.Setresuid, entry.User, entry.User, entry.User);
        if (!keepsRoot)
        {
            var header = new byte[8];
            BinaryPrimitives.WriteUInt32LittleEndian(header, CapabilityVersion);
            program.Do("capabilities", SystemCall.Capset, program.Bytes(header), program.Bytes(new byte[24]));
        }
        program.Do($"directory {entry.Directory}", SystemCall.Chdir, program.Text(entry.Directory));
        program.Do("no new privileges", SystemCall.Prctl, NoNewPrivileges, 1, 0, 0, 0);
        if (!debug)
        {
            byte[] filter = SystemCallFilter.Instructions();
            var reference = new byte[16];
            BinaryPrimitives.WriteUInt16LittleEndian(reference, (ushort)(filter.Length / 8));
            BinaryPrimitives.WriteInt64LittleEndian(reference.AsSpan(8), program.Bytes(filter));
            program.Do("filter", SystemCall.Seccomp, FilterMode, 0, program.Bytes(reference));
        }
        program.FailureCode = NotExecuted;
        program.Do("execute", SystemCall.Execve, Operand.Argument(1), Operand.ArgumentsFrom(1), Operand.Environment);
        return program.Build();
    }
}

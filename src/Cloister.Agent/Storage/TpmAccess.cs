using Cloister.Agent.Interop;

namespace Cloister.Agent.Storage;

/// <summary>Who may use the machine's TPM and read its event log: the agent, and the entry that attests itself.</summary>
internal static class TpmAccess
{
    /// <summary>The TPM with the kernel's own resource manager.</summary>
    public const string Device = "/dev/tpmrm0";

    private const string EventLog = "/sys/kernel/security/tpm0/binary_bios_measurements";
    private const string Security = "/sys/kernel/security", SecurityFolder = "/sys/kernel/security/tpm0";
    private const uint ReadWriteByGroup = 0b110_110_000, ReadByGroup = 0b100_100_000, Passage = 0b111_101_101; // 0660, 0440, 0755

    /// <summary>Lets one user's programs use both.</summary>
    /// <exception cref="KernelException">They are not there.</exception>
    public static void Give(int user)
    {
        Open(Device, user, ReadWriteByGroup);
        Open(EventLog, user, ReadByGroup);
        KernelException.Check(FileCalls.chmod(Security, Passage), "chmod", Security);
        KernelException.Check(FileCalls.chmod(SecurityFolder, Passage), "chmod", SecurityFolder);
    }

    private static void Open(string path, int group, uint mode)
    {
        KernelException.Check(FileCalls.chown(path, 0, group), "chown", path);
        KernelException.Check(FileCalls.chmod(path, mode), "chmod", path);
    }
}

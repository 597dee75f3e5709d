using System.Runtime.InteropServices;

namespace Cloister.Platform.Tests;

public sealed class LockedMemoryTests
{
    [Fact]
    public void Locked_pages_are_counted_by_the_kernel_or_the_reason_is_given()
    {
        int page = Environment.SystemPageSize;
        nint memory = Marshal.AllocHGlobal(5 * page), address = (memory + page - 1) / page * page;
        try
        {
            using LockedMemory locked = LockedMemory.Over(address, 4 * page);
            if (OperatingSystem.IsLinux() && locked.IsLocked)
            {
                Marshal.Copy(new byte[4 * page], 0, address, 4 * page);
                Assert.Contains(" lo", Flags(address), StringComparison.Ordinal);
                Assert.Contains(" dd", Flags(address), StringComparison.Ordinal);
                locked.Dispose();
                Assert.DoesNotContain(" lo", Flags(address), StringComparison.Ordinal);
                Assert.DoesNotContain(" dd", Flags(address), StringComparison.Ordinal);
            }
            else
            {
                Assert.NotEmpty(locked.Problem!);
            }
        }
        finally
        {
            Marshal.FreeHGlobal(memory);
        }
    }

    [Fact]
    public void The_whole_process_is_locked_or_the_reason_is_given()
    {
        if (LockedMemory.LockProcess() is { } problem)
        {
            Assert.NotEmpty(problem);
            return;
        }
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            byte[] later = GC.AllocateArray<byte>(64 << 20, pinned: true);
            Array.Fill(later, (byte)1);
            Assert.Contains(" lo", Flags(Marshal.UnsafeAddrOfPinnedArrayElement(later, 0)), StringComparison.Ordinal);
        }
        finally
        {
            Interop.LinuxMemory.UnlockAll();
        }
    }

    [Fact]
    public void An_address_inside_a_page_is_the_caller_s_mistake() =>
        Assert.Throws<ArgumentException>(() => LockedMemory.Over(Environment.SystemPageSize + 8, 8));

    // The flags of the mapping that an address lies in: proc_pid_smaps(5), "lo" locked, "dd" left out of core dumps.
    private static string Flags(nint address)
    {
        bool inside = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            string[] ends = line.Split(' ')[0].Split('-');
            if (ends.Length == 2 && long.TryParse(ends[0], System.Globalization.NumberStyles.HexNumber, null, out long from))
                inside = from <= address && address < Convert.ToInt64(ends[1], 16);
            else if (inside && line.StartsWith("VmFlags:", StringComparison.Ordinal))
                return line;
        }
        return "";
    }
}

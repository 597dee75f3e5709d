using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Tests.Tpm;

/// <summary>A character device that answers commands as a test says: a pseudo-terminal without a terminal's manners.</summary>
internal sealed partial class PseudoDevice : IAsyncDisposable
{
    private const int ReadWrite = 2, NoControllingTerminal = 0x100, TermiosSize = 256;

    private readonly FileStream _master, _keptOpen;
    private readonly Task _running;

    public PseudoDevice(Func<byte[], byte[]> answer)
    {
        int descriptor = posix_openpt(ReadWrite | NoControllingTerminal);
        Assert.True(descriptor >= 0 && grantpt(descriptor) == 0 && unlockpt(descriptor) == 0, "no pseudo-terminal");
        byte[] name = new byte[64], manners = new byte[TermiosSize];
        Assert.Equal(0, ptsname_r(descriptor, name, (nuint)name.Length));
        Path = System.Text.Encoding.ASCII.GetString(name).TrimEnd('\0');
        Assert.Equal(0, tcgetattr(descriptor, manners));
        cfmakeraw(manners);
        Assert.Equal(0, tcsetattr(descriptor, 0, manners));
        _master = new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.ReadWrite, 0);
        // Without anybody on the other side, reading fails.
        _keptOpen = new FileStream(Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, 0);
        _running = Task.Run(() => Serve(answer));
    }

    public string Path { get; }

    public async ValueTask DisposeAsync()
    {
        await _keptOpen.DisposeAsync();
        await _running;
        await _master.DisposeAsync();
    }

    private void Serve(Func<byte[], byte[]> answer)
    {
        byte[] buffer = new byte[4096];
        try
        {
            for (int length; (length = _master.Read(buffer)) > 0;)
                _master.Write(answer(buffer[..length]));
        }
        catch (IOException)
        {
            return; // nobody is on the other side any more
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int posix_openpt(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int grantpt(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unlockpt(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ptsname_r(int descriptor, [Out] byte[] name, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcgetattr(int descriptor, [Out] byte[] attributes);

    [LibraryImport("libc")]
    private static partial void cfmakeraw([In, Out] byte[] attributes);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcsetattr(int descriptor, int when, byte[] attributes);
}

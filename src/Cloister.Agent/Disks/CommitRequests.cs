using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Cloister.Images;

namespace Cloister.Agent.Disks;

/// <summary>
/// A socket through which a program has its disk committed now, and learns when it is: what it promises after that, nobody can take back.
/// It writes the disk's name and a line end, and reads <c>committed VERSION</c> or <c>refused NUMBER REASON</c>.
/// </summary>
internal sealed class CommitRequests(string address, IReadOnlyList<OpenDisk> disks, Action<ImageException> failed)
{
    private const int MaxLine = 64, MaxWaiting = 16, SocketLevel = 1, PeerCredentials = 17; // SOL_SOCKET, SO_PEERCRED
    private const UnixFileMode Anybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Answers until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        File.Delete(address);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(address));
        File.SetUnixFileMode(address, Anybody);
        listener.Listen(MaxWaiting);
        using var room = new SemaphoreSlim(MaxWaiting);
        var answering = new List<Task>();
        try
        {
            while (true)
            {
                await room.WaitAsync(cancellation);
                answering.RemoveAll(answer => answer.IsCompleted);
                answering.Add(AnswerAsync(await listener.AcceptAsync(cancellation), room, cancellation));
            }
        }
        finally
        {
            await Task.WhenAll(answering).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task AnswerAsync(Socket program, SemaphoreSlim room, CancellationToken cancellation)
    {
        try
        {
            using (program)
            {
                string? name = await ReadAsync(program, cancellation);
                string answer = await CommitAsync(name, UserOf(program), cancellation);
                await program.SendAsync(Encoding.UTF8.GetBytes(answer + "\n"), cancellation);
            }
        }
        catch (SocketException)
        {
            return; // the program went away
        }
        finally
        {
            room.Release();
        }
    }

    private async Task<string> CommitAsync(string? name, int user, CancellationToken cancellation)
    {
        // Another user's disk is none of a program's business.
        if (disks.FirstOrDefault(disk => disk.Definition.Name == name && (user == 0 || user == disk.Definition.User)) is not { } disk)
            return $"refused {(int)ImageError.DiskMissing} This program has no disk of that name.";
        try
        {
            ulong version = await disk.CommitAsync(programsRun: true, cancellation);
            return string.Create(CultureInfo.InvariantCulture, $"committed {version}");
        }
        catch (ImageException refused)
        {
            failed(refused);
            return string.Create(CultureInfo.InvariantCulture, $"refused {(int)refused.Error} {refused.Message}");
        }
    }

    private static async Task<string?> ReadAsync(Socket program, CancellationToken cancellation)
    {
        byte[] line = new byte[MaxLine];
        for (int length = 0; length < line.Length;)
        {
            int read = await program.ReceiveAsync(line.AsMemory(length), cancellation);
            if (read == 0) return null;
            length += read;
            if (line.AsSpan(0, length).IndexOf((byte)'\n') is var end and >= 0) return Encoding.ASCII.GetString(line, 0, end);
        }
        return null;
    }

    // unix(7): process, user and group, as they were when it connected.
    private static int UserOf(Socket program)
    {
        Span<byte> credentials = stackalloc byte[12];
        program.GetRawSocketOption(SocketLevel, PeerCredentials, credentials);
        return BinaryPrimitives.ReadInt32LittleEndian(credentials[4..]);
    }
}

using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Cloister.Platform.Tpm;

/// <summary>An open device or socket. One command at a time; what fails half-way leaves it unusable.</summary>
internal sealed class TpmConnection : IAsyncDisposable
{
    /// <summary>How long a TPM may take for one command: an RSA key takes a discrete one up to a minute.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TpmAddress _address;
    private readonly Stream _stream;
    private readonly TimeProvider _time;

    private TpmConnection(TpmAddress address, Stream stream, TimeProvider time) => (_address, _stream, _time) = (address, stream, time);

    /// <summary>Whether commands can still be sent.</summary>
    public bool IsUsable { get; private set; } = true;

    /// <summary>Opens it once.</summary>
    /// <returns>Null if another program has a device that only one may have.</returns>
    public static async Task<TpmConnection?> OpenAsync(TpmAddress address, TimeProvider time, CancellationToken cancellation) => address.IsSocket
        ? new TpmConnection(address, await ConnectAsync(address, cancellation), time)
        : OpenDevice(address) is { } device ? new TpmConnection(address, device, time) : null;

    /// <summary>Sends a command and reads its answer, whose size is checked and nothing else.</summary>
    public async Task<byte[]> ExchangeAsync(ReadOnlyMemory<byte> command, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        IsUsable = false;
        byte[] answer;
        using var patience = new CancellationTokenSource(Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            // A device keeps its answer until it is read, so a command that was sent is always waited for; the kernel bounds the time.
            await _stream.WriteAsync(command, _address.IsSocket ? either.Token : CancellationToken.None);
            answer = _address.IsSocket ? await ReadSocketAsync(either.Token) : await ReadDeviceAsync();
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new PlatformException(PlatformError.TpmTimeout, $"The TPM at {_address} did not answer within {Patience.TotalSeconds} s. Another program may hold the connection; a software TPM serves one at a time.");
        }
        catch (Exception lost) when (lost is IOException or SocketException)
        {
            throw Lost(lost.Message, lost);
        }
        IsUsable = true;
        return answer;
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private async Task<byte[]> ReadSocketAsync(CancellationToken cancellation)
    {
        byte[] header = new byte[TpmAnswer.HeaderSize];
        await ReadExactlyAsync(header, cancellation);
        uint size = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(2));
        if (size is < TpmAnswer.HeaderSize or > TpmCommand.MaximumSize) throw TpmAnswer.Invalid($"it states a size of {size} bytes");
        byte[] answer = GC.AllocateArray<byte>((int)size, pinned: true);
        header.CopyTo(answer, 0);
        await ReadExactlyAsync(answer.AsMemory(TpmAnswer.HeaderSize), cancellation);
        return answer;
    }

    private async Task ReadExactlyAsync(Memory<byte> bytes, CancellationToken cancellation)
    {
        if (await _stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation) < bytes.Length)
            throw Lost("it closed the connection", null);
    }

    // The kernel gives a whole answer to one read.
    private async Task<byte[]> ReadDeviceAsync()
    {
        byte[] buffer = GC.AllocateArray<byte>(TpmCommand.MaximumSize, pinned: true);
        int size = await _stream.ReadAsync(buffer, CancellationToken.None);
        byte[] answer = GC.AllocateArray<byte>(size, pinned: true);
        buffer.AsSpan(0, size).CopyTo(answer);
        CryptographicOperations.ZeroMemory(buffer);
        return answer;
    }

    private static FileStream? OpenDevice(TpmAddress address)
    {
        const int busy = 16; // EBUSY
        try
        {
            return new FileStream(address.Path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite, BufferSize = 0 });
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Absent(address, absent);
        }
        catch (UnauthorizedAccessException closed)
        {
            throw new PlatformException(PlatformError.TpmNotReadable, $"This user may not open {address.Path}. Join the group that owns it (`ls -l {address.Path}`, often `tss`), or run as root.", closed);
        }
        catch (IOException taken) when ((taken.HResult & 0xFFFF) == busy)
        {
            return null;
        }
        catch (IOException unusable)
        {
            throw new PlatformException(PlatformError.TpmAbsent, $"{address.Path} cannot be opened: {unusable.Message}", unusable);
        }
    }

    private static async Task<NetworkStream> ConnectAsync(TpmAddress address, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(address.EndPoint(), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException refused)
        {
            socket.Dispose();
            throw refused.SocketErrorCode == SocketError.AccessDenied
                ? new PlatformException(PlatformError.TpmNotReadable, $"This user may not connect to {address.Path}.", refused)
                : Absent(address, refused);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    internal static PlatformException Absent(TpmAddress address, Exception? inner) => new(PlatformError.TpmAbsent, address.IsSocket
        ? $"No software TPM listens at {address.Path}. Start one: swtpm socket --tpm2 --tpmstate dir=D --server type=unixio,path={address.Path} --ctrl type=unixio,path={address.Path}.ctrl --flags not-need-init,startup-clear"
        : $"There is no {address.Path}: this machine has no TPM, or its driver is not loaded. A virtual machine gets one with `-tpmdev`; `ls /dev/tpm*` shows what is there.", inner);

    private PlatformException Lost(string reason, Exception? inner) =>
        new(PlatformError.TpmConnectionLost, $"The connection to the TPM at {_address} was lost ({reason}). Whether the last command was done is not known.", inner);
}

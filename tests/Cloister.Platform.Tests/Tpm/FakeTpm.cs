using System.Buffers.Binary;
using System.Net.Sockets;

namespace Cloister.Tests.Tpm;

/// <summary>A socket that answers commands as a test says; one connection after the other.</summary>
internal sealed class FakeTpm : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tpm");
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    /// <param name="answer">Gives the answer to a command; null closes the connection, an empty one leaves it open and silent.</param>
    public FakeTpm(Func<byte[], byte[]?> answer)
    {
        _listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder.FullName, "s")));
        _listener.Listen();
        _running = RunAsync(answer);
    }

    public string Address => "swtpm:" + Path.Combine(_folder.FullName, "s");

    public static byte[] Refusal(uint code) => Answer(0x8001, code, []);

    public static byte[] Answer(ushort tag, uint code, ReadOnlySpan<byte> rest)
    {
        var answer = new byte[10 + rest.Length];
        BinaryPrimitives.WriteUInt16BigEndian(answer, tag);
        BinaryPrimitives.WriteInt32BigEndian(answer.AsSpan(2), answer.Length);
        BinaryPrimitives.WriteUInt32BigEndian(answer.AsSpan(6), code);
        rest.CopyTo(answer.AsSpan(10));
        return answer;
    }

    public static uint CodeOf(byte[] command) => BinaryPrimitives.ReadUInt32BigEndian(command.AsSpan(6));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _running;
        _stop.Dispose();
        _folder.Delete(true);
    }

    private async Task RunAsync(Func<byte[], byte[]?> answer)
    {
        try
        {
            while (true)
            {
                using Socket peer = await _listener.AcceptAsync(_stop.Token);
                await using var stream = new NetworkStream(peer);
                await ServeAsync(stream, answer);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            return;
        }
    }

    private async Task ServeAsync(NetworkStream stream, Func<byte[], byte[]?> answer)
    {
        byte[] header = new byte[10];
        try
        {
            while (await stream.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, _stop.Token) == header.Length)
            {
                byte[] command = new byte[BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(2))];
                header.CopyTo(command, 0);
                await stream.ReadExactlyAsync(command.AsMemory(header.Length), _stop.Token);
                if (answer(command) is not { } bytes) return;
                await stream.WriteAsync(bytes, _stop.Token);
            }
        }
        catch (IOException)
        {
            return; // the client went away, as tests of cancellation do
        }
    }
}

using System.Net.Sockets;
using System.Text;

namespace Cloister.Machines;

/// <summary>Speaks to a Redis server in its own protocol (RESP2).</summary>
internal sealed class RedisConnection : IDisposable
{
    private readonly TcpClient _client = new();

    /// <summary>Connects, and again until the server answers: QEMU accepts before anybody listens behind it.</summary>
    public static async Task<RedisConnection> OpenAsync(int port, CancellationToken cancellation)
    {
        while (true)
        {
            var connection = new RedisConnection();
            try
            {
                await connection._client.ConnectAsync("127.0.0.1", port, cancellation);
                if (await connection.AskAsync(cancellation, "PING") == "+PONG") return connection;
            }
            catch (IOException)
            {
                // Nobody is there yet.
            }
            connection.Dispose();
            await Task.Delay(200, cancellation);
        }
    }

    /// <summary>Asks; returns the answer's first line, or the text that it announces.</summary>
    public async Task<string> AskAsync(CancellationToken cancellation, params string[] words)
    {
        var request = new StringBuilder($"*{words.Length}\r\n");
        foreach (string word in words)
            request.Append($"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        NetworkStream stream = _client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(request.ToString()), cancellation);
        string first = await LineAsync(stream, cancellation);
        return first.StartsWith('$') && first != "$-1" ? await LineAsync(stream, cancellation) : first;
    }

    public void Dispose() => _client.Dispose();

    private static async Task<string> LineAsync(NetworkStream stream, CancellationToken cancellation)
    {
        var line = new List<byte>();
        byte[] one = new byte[1];
        while (line.Count < 2 || line[^2] != '\r' || line[^1] != '\n')
        {
            if (await stream.ReadAsync(one, cancellation) == 0) throw new IOException("The server closed the connection.");
            line.Add(one[0]);
        }
        return Encoding.UTF8.GetString([.. line[..^2]]);
    }
}

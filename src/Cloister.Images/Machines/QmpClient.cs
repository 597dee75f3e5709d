using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cloister.Images.Machines;

/// <summary>QEMU's own control: one JSON object a line (QMP). What QEMU says is bounded: a machine may have taken QEMU over.</summary>
internal sealed class QmpClient : IAsyncDisposable
{
    private const int LineLimit = 1 << 20;

    private readonly NetworkStream _stream;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly System.Threading.Channels.Channel<JsonObject> _answers = System.Threading.Channels.Channel.CreateUnbounded<JsonObject>();
    private readonly Task _reading;

    public QmpClient(Socket socket)
    {
        _stream = new NetworkStream(socket, ownsSocket: true);
        _reading = ReadAsync();
    }

    /// <summary>Why QEMU said that it ends: <c>guest-shutdown</c>, <c>guest-reset</c>, <c>host-qmp-quit</c>, ...; null if it did not.</summary>
    public string? Shutdown { get; private set; }

    /// <summary>Runs a command; its <c>return</c>, or null where QEMU refuses or is gone.</summary>
    public async Task<JsonNode?> ExecuteAsync(string command, JsonObject? arguments, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            var request = new JsonObject { ["execute"] = command };
            if (arguments is not null)
                request["arguments"] = arguments;
            await _stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(request.ToJsonString() + "\n"), CancellationToken.None);
            return (await _answers.Reader.ReadAsync(CancellationToken.None))["return"];
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException or System.Threading.Channels.ChannelClosedException)
        {
            return null;
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        await _reading;
        _turn.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            byte[] buffer = new byte[64 << 10];
            var line = new MemoryStream();
            while (await _stream.ReadAsync(buffer) is > 0 and var count)
            {
                ReadOnlyMemory<byte> rest = buffer.AsMemory(0, count);
                for (int end; (end = rest.Span.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
                {
                    line.Write(rest.Span[..end]);
                    Take(line.ToArray());
                    line.SetLength(0);
                }
                line.Write(rest.Span);
                if (line.Length > LineLimit)
                    return;
            }
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException or JsonException)
        {
            return;
        }
        finally
        {
            _answers.Writer.TryComplete();
        }
    }

    private void Take(byte[] line)
    {
        if (JsonNode.Parse(line) is not JsonObject said || said.ContainsKey("QMP"))
            return;
        if (said["event"] is JsonValue name)
        {
            if (name.ToString() == "SHUTDOWN")
                Shutdown = said["data"]?["reason"]?.ToString();
        }
        else
        {
            _answers.Writer.TryWrite(said);
        }
    }
}

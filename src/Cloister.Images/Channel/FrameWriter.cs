using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Cloister.Images.Channel;

/// <summary>Writes whole frames, one after the other, for many writers at once. A frame that was begun is finished, whoever gives up waiting.</summary>
internal sealed class FrameWriter(Stream stream) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);

    /// <param name="kind">What it says.</param>
    /// <param name="number">Its stream.</param>
    /// <param name="payload">Its bytes.</param>
    /// <param name="cancellation">Gives up before the frame is begun.</param>
    /// <param name="still">Asked when it is this frame's turn: whether it is still to be sent.</param>
    public async Task WriteAsync(FrameKind kind, uint number, ReadOnlyMemory<byte> payload, CancellationToken cancellation, Func<bool>? still = null)
    {
        byte[] bytes = new Frame(kind, number, payload).ToArray();
        await _turn.WaitAsync(cancellation);
        try
        {
            if (still?.Invoke() == false)
                return;
            await stream.WriteAsync(bytes, CancellationToken.None);
            await stream.FlushAsync(CancellationToken.None);
        }
        catch (Exception lost) when (lost is IOException or ObjectDisposedException)
        {
            throw new ImageException(ImageError.MachineEnded, "The other side of the channel is gone.", lost);
        }
        finally
        {
            _turn.Release();
        }
    }

    public Task WriteAsync<T>(FrameKind kind, uint number, T message, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        WriteAsync(kind, number, JsonSerializer.SerializeToUtf8Bytes(message, type), cancellation);

    public void Dispose() => _turn.Dispose();
}

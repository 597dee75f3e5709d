using Microsoft.Win32.SafeHandles;

namespace Cloister.Sealing;

/// <summary>Reads at offsets from several threads: by the file's handle where there is one, else by a stream that takes turns.</summary>
internal abstract class SeekableBytes : IAsyncDisposable
{
    public abstract long Length { get; }

    public static SeekableBytes Over(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanSeek || !stream.CanRead)
            throw new ArgumentException("A sealed file is read from a stream that can seek.", nameof(stream));
        return stream.GetType() == typeof(FileStream) ? new OfFile((FileStream)stream) : new OfStream(stream);
    }

    /// <exception cref="SealingException"><see cref="SealingError.Truncated"/>: the file ends before the buffer is full.</exception>
    public abstract void Read(long offset, Span<byte> buffer);

    /// <exception cref="SealingException"><see cref="SealingError.Truncated"/>: the file ends before the buffer is full.</exception>
    public abstract ValueTask ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation);

    /// <summary>For threads of our own that work on chunks: a read that stays on the thread, and so in its cache, where that does not block others.</summary>
    public abstract ValueTask ReadOnWorkerAsync(long offset, Memory<byte> buffer, CancellationToken cancellation);

    public abstract ValueTask DisposeAsync();

    private sealed class OfFile(FileStream stream) : SeekableBytes
    {
        private readonly SafeFileHandle handle = stream.SafeFileHandle;

        public override long Length { get; } = stream.Length;

        public override void Read(long offset, Span<byte> buffer)
        {
            while (!buffer.IsEmpty)
            {
                int read = RandomAccess.Read(handle, buffer, offset);
                if (read == 0)
                    throw SealedHeaderCodec.Truncated();
                buffer = buffer[read..];
                offset += read;
            }
        }

        public override async ValueTask ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation)
        {
            while (!buffer.IsEmpty)
            {
                int read = await RandomAccess.ReadAsync(handle, buffer, offset, cancellation);
                if (read == 0)
                    throw SealedHeaderCodec.Truncated();
                buffer = buffer[read..];
                offset += read;
            }
        }

        public override ValueTask ReadOnWorkerAsync(long offset, Memory<byte> buffer, CancellationToken cancellation)
        {
            Read(offset, buffer.Span);
            return ValueTask.CompletedTask;
        }

        public override ValueTask DisposeAsync() => stream.DisposeAsync();
    }

    private sealed class OfStream(Stream stream) : SeekableBytes
    {
        private readonly SemaphoreSlim turn = new(1, 1);

        public override long Length { get; } = stream.Length;

        public override void Read(long offset, Span<byte> buffer)
        {
            stream.Position = offset;
            if (stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length)
                throw SealedHeaderCodec.Truncated();
        }

        public override async ValueTask ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation)
        {
            await turn.WaitAsync(cancellation);
            try
            {
                stream.Position = offset;
                if (await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation) < buffer.Length)
                    throw SealedHeaderCodec.Truncated();
            }
            finally
            {
                turn.Release();
            }
        }

        public override ValueTask ReadOnWorkerAsync(long offset, Memory<byte> buffer, CancellationToken cancellation) => ReadAsync(offset, buffer, cancellation);

        public override ValueTask DisposeAsync()
        {
            turn.Dispose();
            return stream.DisposeAsync();
        }
    }
}

using System.Buffers;
using System.Threading.Channels;
using Cloister.Serving.Surfaces;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.AccessLog;

/// <summary>
/// Appends one line of JSON a request to a file. Requests never wait for the disk: what it cannot take in time is dropped and
/// counted. A file that was moved away (logrotate) is made anew.
/// </summary>
internal sealed class AccessLogFile : IServingObserver, IAsyncDisposable
{
    private const int MostWaiting = 16 << 10, MostAtOnce = 1024;

    private readonly Channel<AccessLine> _waiting = Channel.CreateBounded<AccessLine>(new BoundedChannelOptions(MostWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Task _writing;
    private FileStream _file;
    private long _dropped;

    /// <summary>Opens the file.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public AccessLogFile(string path, TimeProvider time, ILogger logger)
    {
        (_path, _time, _logger) = (path, time, logger);
        _file = Open();
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>How many lines were not written.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    public void Ended(RequestRecord request, TimeSpan total)
    {
        if (!_waiting.Writer.TryWrite(AccessLine.Of(request, total, _time.GetUtcNow()))) Interlocked.Increment(ref _dropped);
    }

    /// <summary>Writes what waits and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _writing;
        await _file.DisposeAsync();
    }

    private async Task WriteAsync()
    {
        var text = new ArrayBufferWriter<byte>();
        while (await _waiting.Reader.WaitToReadAsync())
        {
            int lines = 0;
            text.ResetWrittenCount();
            while (lines < MostAtOnce && _waiting.Reader.TryRead(out AccessLine line))
            {
                line.Write(text);
                lines++;
            }
            try
            {
                if (!File.Exists(_path))
                {
                    await _file.DisposeAsync();
                    _file = Open();
                }
                await _file.WriteAsync(text.WrittenMemory);
                await _file.FlushAsync();
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                // A full disk stops no prediction; the count and the log tell.
                Interlocked.Add(ref _dropped, lines);
                _logger.LinesDropped(lines, failure.Message);
            }
        }
    }

    private FileStream Open()
    {
        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, Options = FileOptions.Asynchronous, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        return new FileStream(_path, options);
    }
}

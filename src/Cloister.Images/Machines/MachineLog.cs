using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Cloister.Images.Channel;

namespace Cloister.Images.Machines;

/// <summary>A machine's log: one <see cref="MachineNews"/> a line, of bounded size, the last start's kept beside it.</summary>
internal sealed class MachineLog : IDisposable
{
    private const long SizeLimit = 16 << 20;
    private const int LineLimit = 16 << 10;

    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly IProgress<MachineNews>? _listener;
    private readonly MemoryStream _output = new(), _error = new();
    private FileStream _file;

    public MachineLog(string path, TimeProvider time, IProgress<MachineNews>? listener)
    {
        (_path, _time, _listener) = (path, time, listener);
        _file = Begin();
    }

    public void Say(MachineNewsKind kind, string? name, string text, ImmutableSortedDictionary<string, string>? fields = null)
    {
        var news = new MachineNews(_time.GetUtcNow(), kind, name, text, fields);
        lock (_lock)
        {
            byte[] line = JsonSerializer.SerializeToUtf8Bytes(news, MachineNewsJson.Default.MachineNews);
            if (_file.Length + line.Length > SizeLimit)
            {
                _file.Dispose();
                _file = Begin();
            }
            _file.Write([.. line, (byte)'\n']);
            _file.Flush();
        }
        _listener?.Report(news);
    }

    /// <summary>Adds what a program wrote, by lines; a line without end is cut at 16 KiB.</summary>
    public void Wrote(ProgramStream from, ReadOnlySpan<byte> bytes)
    {
        MemoryStream line = from == ProgramStream.Output ? _output : _error;
        foreach (byte one in bytes)
        {
            if (one != (byte)'\n')
                line.WriteByte(one);
            if (one == (byte)'\n' || line.Length == LineLimit)
                End(from, line);
        }
    }

    /// <summary>What was begun and not ended.</summary>
    public void EndLines()
    {
        if (_output.Length > 0)
            End(ProgramStream.Output, _output);
        if (_error.Length > 0)
            End(ProgramStream.Error, _error);
    }

    public void Dispose()
    {
        lock (_lock)
            _file.Dispose();
    }

    private void End(ProgramStream from, MemoryStream line)
    {
        string text = Encoding.UTF8.GetString(line.GetBuffer().AsSpan(0, (int)line.Length));
        line.SetLength(0);
        Say(from == ProgramStream.Output ? MachineNewsKind.Output : MachineNewsKind.Error, null, text);
    }

    private FileStream Begin()
    {
        if (File.Exists(_path))
            File.Move(_path, _path + ".1", overwrite: true);
        return new FileStream(_path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
    }
}

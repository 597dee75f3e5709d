using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Quickstart;

/// <summary>One `cloister` command in a process of its own, with the JSON lines that it prints.</summary>
internal sealed class CloisterProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Func<JsonObject, JsonObject> _read;
    private readonly Channel<JsonObject> _lines = Channel.CreateUnbounded<JsonObject>();
    private readonly StringBuilder _transcript = new();
    private readonly Task _reading;
    private bool _disposed;

    private CloisterProcess(Process process, IReadOnlyList<string> arguments, Func<JsonObject, JsonObject> read)
    {
        _process = process;
        _read = read;
        Arguments = arguments;
        _reading = ReadAsync();
    }

    public IReadOnlyList<string> Arguments { get; }

    public int Id => _process.Id;

    /// <summary>The last line that said why the process ended, where it failed.</summary>
    public string? Error { get; private set; }

    /// <summary>All that it has written so far, results and log.</summary>
    public string Transcript
    {
        get
        {
            lock (_transcript)
                return _transcript.ToString();
        }
    }

    /// <summary>Starts <paramref name="executable"/> with the arguments and <c>--json</c>; <paramref name="read"/> turns a line into what it stands for.</summary>
    public static CloisterProcess Start(string executable, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null, Func<JsonObject, JsonObject>? read = null)
    {
        var start = new ProcessStartInfo(executable) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in WithJson(arguments))
            start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        Process process = Process.Start(start) ?? throw new CommandException(ExitCode.Failure, $"'{executable}' could not be started.");
        return new CloisterProcess(process, arguments, read ?? (line => line));
    }

    /// <summary>Waits for the next line whose <c>event</c> is <paramref name="name"/>; a process that ends before is an error with its own words.</summary>
    public async Task<JsonObject> WaitForAsync(string name, CancellationToken cancellation) =>
        await FindAsync(line => (string?)line["event"] == name, cancellation)
            ?? throw new CommandException((ExitCode)_process.ExitCode, Error ?? $"'cloister {string.Join(' ', Arguments.Take(2))}' ended with exit code {_process.ExitCode} before it said '{name}'.");

    /// <summary>Waits for the next line that is <paramref name="wanted"/>; null if the process ended before.</summary>
    public async Task<JsonObject?> FindAsync(Func<JsonObject, bool> wanted, CancellationToken cancellation)
    {
        await foreach (JsonObject line in _lines.Reader.ReadAllAsync(cancellation))
        {
            if (wanted(line))
                return line;
        }
        await _process.WaitForExitAsync(cancellation);
        return null;
    }

    /// <summary>Waits for the end; returns the exit code and every line that was not waited for.</summary>
    public async Task<(ExitCode Code, IReadOnlyList<JsonObject> Lines)> ToEndAsync(CancellationToken cancellation)
    {
        var lines = new List<JsonObject>();
        await foreach (JsonObject line in _lines.Reader.ReadAllAsync(cancellation))
            lines.Add(line);
        await _process.WaitForExitAsync(cancellation);
        return ((ExitCode)_process.ExitCode, lines);
    }

    /// <summary>Ends the process, if it has not ended; a second call does nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            await _reading;
        }
        _process.Dispose();
    }

    // `--json` goes before the first `--`: what follows belongs to another program.
    private static IEnumerable<string> WithJson(IReadOnlyList<string> arguments)
    {
        int end = arguments.ToList().IndexOf("--");
        return end < 0 ? [.. arguments, "--json"] : [.. arguments.Take(end), "--json", .. arguments.Skip(end)];
    }

    private async Task ReadAsync()
    {
        Task<string> errors = ReadErrorsAsync();
        while (await _process.StandardOutput.ReadLineAsync() is { } text)
        {
            Keep(text);
            JsonObject line = _read(Parse(text));
            Error = (string?)line["error"] ?? Error;
            _lines.Writer.TryWrite(line);
        }
        if ((await errors).Trim() is { Length: > 0 } words)
            Error ??= words;
        _lines.Writer.Complete();
    }

    private async Task<string> ReadErrorsAsync()
    {
        var errors = new StringBuilder();
        while (await _process.StandardError.ReadLineAsync() is { } text)
        {
            Keep(text);
            errors.Append(text).Append('\n');
        }
        return errors.ToString();
    }

    private void Keep(string line)
    {
        lock (_transcript)
            _transcript.Append(line).Append('\n');
    }

    /// <summary>A line as JSON; any other text is its <c>message</c>.</summary>
    public static JsonObject Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? new JsonObject { ["message"] = text };
        }
        catch (JsonException)
        {
            return new JsonObject { ["message"] = text };
        }
    }
}

using System.Text.Json.Nodes;
using Spectre.Console;

namespace Cloister.Cli.CommandLine;

/// <summary>What a verb prints: lines for people, or with <c>--json</c> one JSON object a line. Results go to standard output, progress to standard error.</summary>
internal sealed class Screen(TextWriter output, TextWriter error, bool json)
{
    private static readonly TimeSpan QuietTime = TimeSpan.FromSeconds(1);

    public bool Json { get; } = json;

    /// <summary>A line for people; nothing under <c>--json</c>.</summary>
    public void Line(string text = "")
    {
        if (!Json)
            output.WriteLine(text);
    }

    /// <summary>A result: <paramref name="text"/> for people, <paramref name="document"/> as one line of JSON for programs.</summary>
    public void Result(string text, JsonObject document)
    {
        if (Json && text.Length > 0)
            document["message"] = text;
        output.WriteLine(Json ? document.ToJsonString() : text);
        output.Flush();
    }

    /// <summary>Something a person should know beside the result, on standard error.</summary>
    public void Note(string text)
    {
        if (!Json)
            error.WriteLine(text);
    }

    /// <summary>Something a person must not miss: on standard error, in any format.</summary>
    public void Warn(string text) => error.WriteLine("WARNING: " + text);

    public void Error(string text, ExitCode code)
    {
        if (Json)
            output.WriteLine(new JsonObject { ["error"] = text, ["exitCode"] = (int)code }.ToJsonString());
        else
            error.WriteLine("cloister: " + text);
    }

    /// <summary>Runs work that reports bytes done; shows a bar on a terminal once it has taken a second.</summary>
    public async Task<T> ProgressAsync<T>(string title, long total, Func<IProgress<long>, Task<T>> work)
    {
        var latest = new Latest();
        Task<T> running = work(latest);
        await ShowAsync(title, running, () => (latest.Value, total));
        return await running;
    }

    /// <summary>Waits for <paramref name="running"/>, which tells how far it is when asked.</summary>
    public async Task ShowAsync(string title, Task running, Func<(long Done, long Total)> howFar)
    {
        if (Json || Console.IsErrorRedirected || await Task.WhenAny(running, Task.Delay(QuietTime)) == running)
        {
            await running;
            return;
        }
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        await console.Progress().StartAsync(async bars =>
        {
            ProgressTask bar = bars.AddTask(title);
            while (await Task.WhenAny(running, Task.Delay(100)) != running)
            {
                (long done, long total) = howFar();
                (bar.MaxValue, bar.Value) = (Math.Max(1, total), done);
            }
            bar.Value = bar.MaxValue;
        });
        await running;
    }

    private sealed class Latest : IProgress<long>
    {
        private long _value;

        public long Value => Volatile.Read(ref _value);

        public void Report(long value) => Volatile.Write(ref _value, value);
    }
}

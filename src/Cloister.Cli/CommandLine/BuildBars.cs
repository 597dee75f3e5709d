using Cloister.Images.Build;
using Spectre.Console;

namespace Cloister.Cli.CommandLine;

/// <summary>Shows how far building an image is: a bar a stage on a terminal, otherwise a line when a stage begins.</summary>
internal sealed class BuildBars(Screen screen) : IProgress<BuildProgress>
{
    private readonly Lock _lock = new();
    private readonly Dictionary<BuildStage, BuildProgress> _latest = [];

    public void Report(BuildProgress value)
    {
        lock (_lock)
        {
            if (!_latest.ContainsKey(value.Stage) && Console.IsErrorRedirected) screen.Note($"{Title(value.Stage)}...");
            _latest[value.Stage] = value;
        }
    }

    /// <summary>Runs the work that reports here.</summary>
    public async Task<T> ShowAsync<T>(Func<Task<T>> work)
    {
        if (screen.Json || Console.IsErrorRedirected) return await work();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn()).StartAsync(async shown =>
        {
            Task<T> running = work();
            var bars = new Dictionary<BuildStage, ProgressTask>();
            do
                Draw(shown, bars);
            while (await Task.WhenAny(running, Task.Delay(100)) != running);
            T result = await running;
            Draw(shown, bars);
            foreach (ProgressTask bar in bars.Values)
                bar.Value = bar.MaxValue;
            return result;
        });
    }

    private void Draw(ProgressContext shown, Dictionary<BuildStage, ProgressTask> bars)
    {
        lock (_lock)
        {
            foreach ((BuildStage stage, BuildProgress latest) in _latest.OrderBy(one => one.Key))
            {
                if (!bars.TryGetValue(stage, out ProgressTask? bar)) bars.Add(stage, bar = shown.AddTask(Title(stage)));
                (bar.MaxValue, bar.Value) = (Math.Max(1, latest.Total), latest.Done);
                bar.IsIndeterminate = latest.Total == 0;
                if (_latest.Keys.Any(other => other > stage)) bar.Value = bar.MaxValue;
            }
        }
    }

    private static string Title(BuildStage stage) => stage switch
    {
        BuildStage.Fetch => "fetch packages",
        BuildStage.Unpack => "unpack sources",
        BuildStage.Root => "write the root",
        BuildStage.Verity => "hash the root",
        BuildStage.Kernel => "join the kernel",
        _ => "predict the PCRs",
    };
}

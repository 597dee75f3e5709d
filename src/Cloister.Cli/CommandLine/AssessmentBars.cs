using Cloister.Partitioning.Assessment;
using Spectre.Console;

namespace Cloister.Cli.CommandLine;

/// <summary>Shows how far an assessment is: on a terminal a bar for all of it and one for each attack that runs, otherwise a line when an attack ends.</summary>
internal sealed class AssessmentBars(Screen screen) : IProgress<AssessmentProgress>
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, double> _running = [];
    private int _done, _units = 1;

    public void Report(AssessmentProgress value)
    {
        lock (_lock)
        {
            (_done, _units) = (Math.Max(_done, value.UnitsDone), value.Units);
            if (value.Unit.Length == 0)
            {
                if (_done > 0) screen.Note($"{_done} of {_units} attacks are there from an earlier run");
                return;
            }
            if (!value.Ended)
            {
                _running[value.Unit] = value.Share;
                return;
            }
            _running.Remove(value.Unit);
            if (Console.IsErrorRedirected) screen.Note(AssessmentText.Plain($"{value.UnitsDone}/{_units} {value.Unit}"));
        }
    }

    /// <summary>Runs the work that reports here.</summary>
    public async Task<T> ShowAsync<T>(Func<Task<T>> work)
    {
        if (screen.Json || Console.IsErrorRedirected) return await work();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).StartAsync(async shown =>
        {
            Task<T> running = Task.Run(work);
            ProgressTask all = shown.AddTask("all attacks");
            var bars = new Dictionary<string, ProgressTask>();
            while (await Task.WhenAny(running, Task.Delay(100)) != running) Draw(shown, all, bars);
            return await running;
        });
    }

    private void Draw(ProgressContext shown, ProgressTask all, Dictionary<string, ProgressTask> bars)
    {
        lock (_lock)
        {
            (all.MaxValue, all.Value) = (_units, _done + _running.Values.Sum());
            foreach (string ended in bars.Keys.Except(_running.Keys).ToArray())
            {
                bars[ended].StopTask();
                bars.Remove(ended);
            }
            foreach ((string unit, double share) in _running)
            {
                if (!bars.TryGetValue(unit, out ProgressTask? bar)) bars.Add(unit, bar = shown.AddTask(Markup.Escape(AssessmentText.Plain(unit.Length > 60 ? unit[..60] : unit))));
                (bar.MaxValue, bar.Value) = (1, share);
            }
        }
    }
}

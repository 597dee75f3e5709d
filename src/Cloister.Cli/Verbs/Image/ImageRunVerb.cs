using System.CommandLine;
using System.Runtime.Versioning;
using Cloister.Cli.CommandLine;
using Cloister.Images.Machines;

namespace Cloister.Cli.Verbs;

internal static class ImageRunVerb
{
    /// <summary>The word by which `image start` lets the supervisor live on without it.</summary>
    public const string LetGo = "go";

    private static readonly MachineSource Source = new();
    private static readonly Option<bool> Detached = new("--detached") { Hidden = true };

    public static Command Command { get; } = Create();

    private static Command Create()
    {
        var verb = new Verb("run", "Boot an image as a measured machine and wait for its end. What its program writes is written here; the exit code is the program's.",
            "cloister image run ./date",
            "cloister image run ./server --port 8443:8443 --coordinator localhost:2001",
            "cloister image run ./tool -- --verbose");
        Source.AddTo(verb);
        verb.Add(Detached);
        return verb.Runs(RunAsync);
    }

    private static async Task<ExitCode> RunAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        if (!OperatingSystem.IsLinux())
            throw new CommandException(ExitCode.MissingRequirement, "Measured machines run on Linux.");
        MachineOptions options = await Source.OptionsAsync(parsed, cancellation);
        if (!parsed.GetValue(Detached))
            return await RunAsync(options, screen, cancellation);
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task watching = WatchStarterAsync(left);
        return await RunAsync(options, screen, left.Token);
    }

    [SupportedOSPlatform("linux")]
    private static async Task<ExitCode> RunAsync(MachineOptions options, Screen screen, CancellationToken cancellation)
    {
        var news = new NewsQueue();
        Machine? machine = null;
        Task showing = news.ShowAsync(one => MachineNewsPrinter.Print(screen, one, machine?.Record));
        try
        {
            machine = await Machine.StartAsync(options, news, TimeProvider.System, cancellation);
            await using Machine running = machine;
            await Task.WhenAny(running.Ended, Stop.WaitAsync(cancellation));
            if (!running.Ended.IsCompleted)
                await running.StopAsync();
            MachineEnd end = await running.Ended;
            return end.Code is { } code ? (ExitCode)code : cancellation.IsCancellationRequested ? ExitCode.Cancelled : end.Orderly ? ExitCode.Success : ExitCode.Failure;
        }
        finally
        {
            news.Complete();
            await showing;
            if (news.Dropped > 0)
                screen.Warn($"{news.Dropped} lines were not shown, they came too fast; `cloister image logs` has the last of them.");
        }
    }

    // Until the starter says that the machine may live on, the starter's end is the machine's: nothing is left of a start that was killed.
    private static async Task WatchStarterAsync(CancellationTokenSource left)
    {
        // Console.In would block the caller, whatever its method's name says.
        using var words = new StreamReader(Console.OpenStandardInput());
        while (await words.ReadLineAsync() is { } line)
        {
            if (line == LetGo)
                return;
        }
        await left.CancelAsync();
    }
}

using System.CommandLine;
using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Images.Machines;

namespace Cloister.Cli.Verbs;

internal static class ImageStartVerb
{
    private const int ConsoleTail = 30;

    private static readonly MachineSource Source = new();
    private static readonly Option<int> Wait = new("--wait") { Description = "Seconds until a machine that is not ready is given up.", DefaultValueFactory = _ => 600 };

    public static Command Create()
    {
        var verb = new Verb("start", "Boot an image as a measured machine and leave it running; returns when it is ready, or with why it is not.",
            "cloister image start ./server --port 8443:8443",
            "cloister image start ./date --machine one && cloister image exec one date");
        Source.AddTo(verb);
        verb.Add(Wait);
        return verb.Runs(StartAsync);
    }

    private static async Task<ExitCode> StartAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        if (!OperatingSystem.IsLinux())
            throw new CommandException(ExitCode.MissingRequirement, "Measured machines run on Linux.");
        var folder = new MachineFolder((await Source.OptionsAsync(parsed, cancellation)).Folder);
        using Process supervisor = DetachedProcess.Start(Environment.ProcessPath!, [.. Host(), .. Arguments(parsed)]);
        Task<string> errors = supervisor.StandardError.ReadToEndAsync(CancellationToken.None);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(parsed.GetValue(Wait)));
        string last = "it was not begun";
        try
        {
            while (await supervisor.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            {
                if (Parse(line) is not { } news)
                    continue;
                if (news["error"] is { } error)
                    throw new CommandException((ExitCode)(int)(news["exitCode"] ?? (int)ExitCode.Failure), (string)error!);
                last = $"{news["event"]}: {news["message"]}";
                Show(screen, news);
                if ((string?)news["event"] != MachineStates.Ready || (string?)news["from"] != "host")
                    continue;
                await supervisor.StandardInput.WriteLineAsync(ImageRunVerb.LetGo.AsMemory(), cancellation);
                await supervisor.StandardInput.FlushAsync(cancellation);
                Tell(screen, folder);
                return ExitCode.Success;
            }
            await supervisor.WaitForExitAsync(cancellation);
            string words = (await errors).Trim();
            throw new CommandException(ExitCode.Failure, $"The machine is not running. {last}{(words.Length > 0 ? "\n" + words : "")}{Console(folder)}");
        }
        catch (OperationCanceledException)
        {
            supervisor.StandardInput.Close(); // it ends the machine
            await supervisor.WaitForExitAsync(CancellationToken.None);
            cancellation.ThrowIfCancellationRequested();
            throw new CommandException(ExitCode.Unavailable, $"The machine was not ready in {parsed.GetValue(Wait)} seconds and was ended. The last of it: {last}{Console(folder)}");
        }
    }

    // The same words for the supervisor, which is `image run`.
    private static IEnumerable<string> Arguments(ParseResult parsed)
    {
        string[] words = [.. parsed.Tokens.Select(token => token.Value)];
        int verb = Array.IndexOf(words, "start");
        var own = new List<string>();
        for (int at = verb + 1; at < words.Length; at++)
        {
            if (words[at] == "--")
                return [.. words[..verb], "run", "--detached", "--json", .. own, .. words[at..]];
            if (words[at] == Wait.Name)
                at++;
            else if (words[at] != Execution.Json.Name)
                own.Add(words[at]);
        }
        return [.. words[..verb], "run", "--detached", "--json", .. own];
    }

    // `dotnet cloister.dll` rather than the program's own file.
    private static IEnumerable<string> Host() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];

    private static JsonObject? Parse(string line)
    {
        try
        {
            return JsonNode.Parse(line) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static void Show(Screen screen, JsonObject news)
    {
        if (screen.Json)
            screen.Result("", (JsonObject)news.DeepClone());
        else if ((string?)news["event"] is not ("output" or "error-output"))
            screen.Note($"{news["event"]}: {news["message"]}");
    }

    [SupportedOSPlatform("linux")]
    private static void Tell(Screen screen, MachineFolder folder)
    {
        if (screen.Json)
            return;
        MachineRecord record = folder.Read();
        screen.Line($"{folder.Path}");
        foreach (RecordedPort port in record.Ports)
            screen.Line($"{port.Address}:{port.Host} -> {port.Guest}");
    }

    [SupportedOSPlatform("linux")]
    private static string Console(MachineFolder folder)
    {
        if (!File.Exists(folder.Console))
            return "";
        string[] lines = [.. File.ReadLines(folder.Console).TakeLast(ConsoleTail)];
        return lines.Length == 0 ? "" : "\nThe last lines of its console:\n" + string.Join('\n', lines);
    }
}

using System.CommandLine;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Images;
using Cloister.Images.Build;
using Cloister.Images.Channel;
using Cloister.Images.Machines;

namespace Cloister.Cli.Verbs;

internal static class ImageExecVerb
{
    private const int Interrupt = 2;

    private static readonly Argument<string> Machine = new("machine") { Description = "Its name, or its folder where it has a slash." };
    private static readonly Argument<string> Entry = new("entry") { Description = "An entry point of its image; in a debug image also a program's absolute path." };
    private static readonly Argument<string[]> Arguments = new("arguments") { Description = "After --: arguments, where the entry takes any.", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string[]> Variables = new("--env") { Description = "NAME=VALUE, where the entry allows it." };

    public static Command Create() => new Verb("exec", "Run an entry point in a machine that runs, with this command's input and outputs; the exit code is the program's.",
        "cloister image exec one date",
        "cloister image exec one sqlite --env TZ=UTC -- 'select 1;' < more.sql") { Machine, Entry, Arguments, Variables }
        .Runs(ExecAsync);

    private static async Task<ExitCode> ExecAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        if (!OperatingSystem.IsLinux())
            throw new CommandException(ExitCode.MissingRequirement, "Measured machines run on Linux.");
        string entry = parsed.GetRequiredValue(Entry);
        string[] arguments = parsed.GetValue(Arguments) ?? [];
        MachineFolder folder = MachineFolder.Named(parsed.GetRequiredValue(Machine));
        ImageDefinition? definition = DefinitionOf(folder);
        var request = new ExecRequest { Environment = MachineSource.Pairs(parsed.GetValue(Variables), "--env", "NAME=VALUE"), Input = TakesInput(definition, entry) };
        request = entry.StartsWith('/') ? request with { Command = [entry, .. arguments] } : request with { Entry = entry, Arguments = [.. arguments] };
        await using RemoteMachine machine = await RemoteMachine.ConnectAsync(folder, cancellation);
        ExitCode code = await FollowAsync(await machine.ExecAsync(request, cancellation), request.Input, screen, cancellation);
        if (definition is { Debug: false, Console: not ConsoleOutput.Programs })
            screen.Note($"('{entry}' ran; the image keeps what its programs write: its console is '{definition.Console.ToString().ToLowerInvariant()}')");
        return code;
    }

    // An entry takes input where it takes arguments; to others nothing that is typed here is sent, and they read an end.
    private static bool TakesInput(ImageDefinition? definition, string entry) =>
        definition is not { Debug: false } || definition.Entries.GetValueOrDefault(entry) is not { Arguments: false };

    [SupportedOSPlatform("linux")]
    private static ImageDefinition? DefinitionOf(MachineFolder folder)
    {
        string definition = Path.Combine(folder.Read().Image, ImageLayout.Definition);
        return File.Exists(definition) ? ImageDefinitionReader.Read(File.ReadAllBytes(definition)) : null;
    }

    [SupportedOSPlatform("linux")]
    private static async Task<ExitCode> FollowAsync(HostExec program, bool takesInput, Screen screen, CancellationToken cancellation)
    {
        using var ended = new CancellationTokenSource();
        Task input = takesInput ? PassInputAsync(program, ended.Token) : Task.CompletedTask;
        await using CancellationTokenRegistration interrupted = cancellation.Register(() => _ = program.SignalAsync(Interrupt, CancellationToken.None));
        await using Stream output = Console.OpenStandardOutput(), error = Console.OpenStandardError();
        while (await program.ReadAsync(CancellationToken.None) is var (from, bytes))
        {
            if (screen.Json)
                screen.Result("", new JsonObject { ["event"] = from == ProgramStream.Output ? "output" : "error-output", ["text"] = Encoding.UTF8.GetString(bytes.Span) });
            else
                await (from == ProgramStream.Output ? output : error).WriteAsync(bytes, CancellationToken.None);
        }
        await ended.CancelAsync();
        ExecExit exit = await program.Exit;
        if (exit.Code is not { } code)
            throw new CommandException(ExitCode.Refused, exit.Reason ?? "The machine did not start the program.");
        if (screen.Json)
            screen.Result("", new JsonObject { ["event"] = "exit", ["code"] = code });
        return (ExitCode)code;
    }

    // A terminal that nobody types into is not waited for when the program ended.
    private static async Task PassInputAsync(HostExec program, CancellationToken ended)
    {
        await using Stream input = Console.OpenStandardInput();
        byte[] buffer = new byte[32 << 10];
        try
        {
            while (await input.ReadAsync(buffer, ended) is > 0 and var count)
                await program.WriteInputAsync(buffer.AsMemory(0, count).ToArray(), ended);
            await program.EndInputAsync(ended);
        }
        catch (Exception over) when (over is OperationCanceledException or Cloister.Images.ImageException)
        {
            return;
        }
    }
}

using System.CommandLine;

namespace Cloister.Cli.CommandLine;

/// <summary>Runs a verb's body and turns what it throws into a text and an exit code.</summary>
internal static class Execution
{
    public static Option<bool> Json { get; } = new("--json") { Description = "Print one JSON object a line instead of text.", Recursive = true };

    /// <summary>Gives <paramref name="command"/> its body.</summary>
    public static Command Runs(this Command command, Func<ParseResult, Screen, CancellationToken, Task<ExitCode>> body)
    {
        command.SetAction(async (parsed, cancellation) =>
        {
            var screen = new Screen(Console.Out, Console.Error, parsed.GetValue(Json));
            try
            {
                return (int)await body(parsed, screen, cancellation);
            }
            catch (Exception exception) when (Explanation.Of(exception, cancellation) is { } end)
            {
                screen.Error(end.Text, end.Code);
                return (int)end.Code;
            }
        });
        return command;
    }

    /// <summary>As <see cref="Runs(Command, Func{ParseResult, Screen, CancellationToken, Task{ExitCode}})"/>, for a body that succeeds or throws.</summary>
    public static Command Runs(this Command command, Func<ParseResult, Screen, CancellationToken, Task> body) =>
        command.Runs(async (parsed, screen, cancellation) =>
        {
            await body(parsed, screen, cancellation);
            return ExitCode.Success;
        });
}

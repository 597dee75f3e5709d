using System.Collections.Immutable;

namespace Cloister.Cli.CommandLine;

/// <summary>Cuts on the command line: a tensor's name, or several with commas between them.</summary>
internal static class CutNames
{
    public static ImmutableArray<ImmutableArray<string>> Parse(string[]? cuts) => [.. (cuts ?? []).Select(Parse)];

    public static ImmutableArray<string> Parse(string cut)
    {
        ImmutableArray<string> names = [.. cut.Split(',')];
        return names.Contains("") ? throw new CommandException(ExitCode.Usage, $"'{cut}' names no tensors: write one, or several with commas between them.") : names;
    }
}

using System.Collections.Immutable;
using System.Globalization;

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

    /// <summary>Shapes of inputs, as <c>NAME=1,3,224,224</c>; null where none are said.</summary>
    public static Dictionary<string, long[]>? Shapes(string[]? inputs)
    {
        if (inputs is null or []) return null;
        var shapes = new Dictionary<string, long[]>(StringComparer.Ordinal);
        foreach (string input in inputs)
        {
            int at = input.LastIndexOf('=');
            string[] dimensions = at < 1 ? [] : input[(at + 1)..].Split(',');
            long[] shape = [.. dimensions.Select(dimension => long.TryParse(dimension, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : 0)];
            if (shape.Length == 0 || shape.Contains(0) || !shapes.TryAdd(input[..at], shape))
                throw new CommandException(ExitCode.Usage, $"--shape is NAME=1,3,224,224 and once an input, not '{input}'.");
        }
        return shapes;
    }
}

using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Cloister.Cli.CommandLine;

/// <summary>A command whose help ends with examples.</summary>
internal sealed class Verb(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>Further lines of its help.</summary>
    public IReadOnlyList<string> More { get; set; } = [];
}

/// <summary>The framework's help, then the verb's examples.</summary>
internal sealed class HelpWithExamples(HelpAction inner) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        int code = inner.Invoke(parseResult);
        if (parseResult.CommandResult.Command is Verb { Examples.Count: > 0 } verb)
        {
            TextWriter output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (string example in verb.Examples)
                output.WriteLine("  " + example);
            output.WriteLine();
            foreach (string line in verb.More)
                output.WriteLine(line);
        }
        return code;
    }
}

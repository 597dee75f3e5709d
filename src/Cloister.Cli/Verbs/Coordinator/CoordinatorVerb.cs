using System.CommandLine;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class CoordinatorVerb
{
    public static Command Create() => new Verb("coordinator", "Run the coordinator.") { CoordinatorRunVerb.Create() };
}

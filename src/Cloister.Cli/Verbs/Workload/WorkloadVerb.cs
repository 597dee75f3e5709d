using System.CommandLine;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class WorkloadVerb
{
    public static Command Create() => new Verb("workload", "Run any program as an attested workload, and measure one.") { WorkloadRunVerb.Create(), WorkloadMeasureVerb.Create() };
}

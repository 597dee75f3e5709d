using System.CommandLine;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class AcceleratorVerb
{
    public static Command Create() => new Verb("accelerator", "Run the part of a partitioned model that is outside, for workloads that do not trust it.") { AcceleratorRunVerb.Create() };
}

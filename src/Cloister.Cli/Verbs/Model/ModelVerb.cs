using System.CommandLine;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class ModelVerb
{
    public static Command Create() => new Verb("model", "Seal, open and inspect models, make their keys, and measure what models in parts give away.")
    {
        ModelKeygenVerb.Create(),
        ModelSealVerb.Create(),
        ModelOpenVerb.Create(),
        ModelInspectVerb.Create(),
        ModelCutsVerb.Create(),
        ModelAssessVerb.Create(),
        ModelPartitionVerb.Create(),
    };
}

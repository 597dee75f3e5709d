using System.CommandLine;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class ModelVerb
{
    public static Command Create() => new Verb("model", "Seal, open and inspect models, and make their keys.")
    {
        ModelKeygenVerb.Create(),
        ModelSealVerb.Create(),
        ModelOpenVerb.Create(),
        ModelInspectVerb.Create(),
    };
}

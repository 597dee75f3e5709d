using System.CommandLine;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class HeVerb
{
    public static Command Create() => new Verb("he", "Ask a model on encrypted rows: nobody but the holder of the key can read them or the answer.")
    {
        HeCompileVerb.Create(),
        HeKeygenVerb.Create(),
        HeEncryptVerb.Create(),
        HePredictVerb.Create(),
        HeDecryptVerb.Create(),
        HeInspectVerb.Create(),
        HePageVerb.Create(),
    };
}

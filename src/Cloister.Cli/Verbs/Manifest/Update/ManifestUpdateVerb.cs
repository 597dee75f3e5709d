using System.CommandLine;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class ManifestUpdateVerb
{
    public static Command Create() => new Verb("update", "Change the manifest in force, together with the users who must agree.")
    {
        UpdateApplyVerb.Create(),
        UpdateAcknowledgeVerb.Create(),
        UpdateCancelVerb.Create(),
        UpdateGetVerb.Create(),
    };
}

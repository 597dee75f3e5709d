using System.CommandLine;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class ManifestVerb
{
    public static Command Create() => new Verb("manifest", "Check, set, read, verify and update the manifest of a deployment.")
    {
        ManifestCheckVerb.Create(),
        ManifestSetVerb.Create(),
        ManifestGetVerb.Create(),
        ManifestVerifyVerb.Create(),
        ManifestSignatureVerb.Create(),
        ManifestLogVerb.Create(),
        ManifestUpdateVerb.Create(),
    };
}

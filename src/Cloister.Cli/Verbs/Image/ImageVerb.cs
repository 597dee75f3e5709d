using System.CommandLine;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class ImageVerb
{
    public static Command Create() => new Verb("image", "Make a measured, hardened machine of any program, predict its measurements, and run it.")
    {
        ImageNewVerb.Create(),
        ImageImportVerb.Create(),
        ImageBuildVerb.Create(),
        ImageMeasureVerb.Create(),
        ImageInspectVerb.Create(),
        ImagePackageVerb.Create(),
        ImageRunVerb.Command,
        ImageStartVerb.Create(),
        ImageExecVerb.Create(),
        ImageStopVerb.Create(),
        ImageStatusVerb.Create(),
        ImageLogsVerb.Create(),
        ImageAuthorityVerb.Create(),
        ImageSealVerb.Create(),
        ImageUnsealVerb.Create(),
    };
}

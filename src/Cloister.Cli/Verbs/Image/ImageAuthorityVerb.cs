using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Images.Machines;

namespace Cloister.Cli.Verbs;

internal static class ImageAuthorityVerb
{
    private static readonly Argument<string?> Folder = new("folder") { Description = "Its folder; made if absent (your own authority's).", Arity = ArgumentArity.ZeroOrOne };

    public static Command Create() => new Verb("authority", "Make the authority that certifies the TPMs of machines on this computer, and say where its root certificate is. Who trusts it trusts this computer's operator.",
        "cloister image authority",
        "cloister image authority ./tpm-authority") { Folder }
        .Runs(async (parsed, screen, cancellation) =>
        {
            if (!OperatingSystem.IsLinux())
                throw new CommandException(ExitCode.MissingRequirement, "Measured machines run on Linux.");
            TpmAuthority authority = await TpmAuthority.OpenAsync(parsed.GetValue(Folder) ?? TpmAuthority.DefaultFolder(), TimeProvider.System, cancellation);
            screen.Result(authority.Root, new JsonObject { ["root"] = authority.Root, ["folder"] = authority.Folder });
        });
}

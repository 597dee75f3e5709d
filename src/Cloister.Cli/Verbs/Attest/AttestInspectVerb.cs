using System.CommandLine;
using Cloister.Cli.Attest;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class AttestInspectVerb
{
    private static readonly Argument<string> EvidencePath = new("file") { Description = "A report, quote, event log, certificate, revocation list, collateral or policy." };

    public static Command Create() => new Verb("inspect", "Show what a file of evidence says, whatever its kind. Proves nothing.",
        "cloister attest inspect report.bin",
        "cloister attest inspect eventlog --json") { EvidencePath }
        .Runs(async (parsed, screen, cancellation) =>
        {
            string path = parsed.GetRequiredValue(EvidencePath);
            byte[] bytes = await LocalFile.ReadAsync(path, cancellation);
            Inspection inspection = Inspection.Of(bytes)
                ?? throw new CommandException(ExitCode.BadInput, $"'{path}' ({bytes.Length:N0} bytes) is not read as any kind of evidence{(bytes.Length > 0 && Inspection.Nearest(bytes) is { } nearest ? $"; {nearest}" : ".")}");
            screen.Line($"{inspection.Kind}, unproven");
            int width = Math.Min(26, inspection.Statements.Max(one => one.Name.Length));
            foreach (Statement one in inspection.Statements)
                screen.Line($"  {one.Name.PadRight(width)}  {one.Value}{(one.Meaning is { } meaning ? $"  ({meaning})" : "")}");
            if (screen.Json) screen.Result("", inspection.ToJson());
        });
}

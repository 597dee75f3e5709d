using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Attestation.Dcap;
using Cloister.Cli.Attest.Cases;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Attest;

/// <summary>Runs a file of cases and prints a line for each.</summary>
internal static class CaseReport
{
    public static ImmutableArray<AttestationCase> Read(byte[] json, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            return [.. document.RootElement.GetProperty("cases").EnumerateArray().Select(one => new AttestationCase(one.Clone(), folder))];
        }
        catch (Exception exception) when (exception is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CommandException(ExitCode.BadInput, $"'{path}' holds no cases: {exception.Message}", exception);
        }
    }

    /// <summary>Runs cases; the exit code is success only if every one that this version verifies came out as expected.</summary>
    public static ExitCode Run(ImmutableArray<AttestationCase> cases, Screen screen, CancellationToken cancellation)
    {
        var runner = new CaseRunner();
        int counted = 0, expected = 0, unsupported = 0;
        foreach (AttestationCase one in cases)
        {
            cancellation.ThrowIfCancellationRequested();
            (JsonObject line, bool? asExpected) = Run(runner, one);
            screen.Result(screen.Json ? "" : line.ToJsonString(), line);
            if (asExpected is null) unsupported++;
            else counted++;
            if (asExpected == true) expected++;
        }
        screen.Result($"{expected} of {counted} as expected", new JsonObject { ["asExpected"] = expected, ["cases"] = counted, ["unsupported"] = unsupported });
        return counted > 0 && expected == counted ? ExitCode.Success : ExitCode.Refused;
    }

    private static (JsonObject Line, bool? AsExpected) Run(CaseRunner runner, AttestationCase one)
    {
        var line = new JsonObject { ["id"] = one.Id, ["ok"] = null, ["check"] = null, ["status"] = null };
        try
        {
            if (runner.Run(one) is not { } outcome)
            {
                line["status"] = "unsupported";
                line["kind"] = one.Tee;
                return (line, null);
            }
            line["ok"] = outcome.Ok;
            line["check"] = outcome.Failed?.Id;
            line["status"] = outcome.Field(DcapFields.TcbStatus);
            string? difference = CaseRunner.Difference(one, outcome);
            if (difference is not null) line["unexpected"] = difference;
            return (line, difference is null);
        }
        catch (Exception exception) when (exception is FormatException or IOException or KeyNotFoundException or UnauthorizedAccessException)
        {
            line["unexpected"] = exception.Message;
            return (line, false);
        }
    }
}

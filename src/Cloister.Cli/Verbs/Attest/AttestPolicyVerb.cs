using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Cli.Attest;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class AttestPolicyVerb
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private static readonly EvidenceOptions Given = new();
    private static readonly Option<string?> Out = new("--out") { Description = "Where to write the policy; standard output if not given." };

    public static Command Create()
    {
        var sample = new Verb("from-evidence", "Write the strictest policy that a trusted sample satisfies: the same software, and versions that may only rise. The sample must be genuine.",
            "cloister attest policy from-evidence --report report.bin --vek vcek.der --crl milan.crl --out policy.json",
            "cloister attest policy from-evidence --quote quote.bin --collateral collateral.json > policy.json") { Out };
        Given.AddTo(sample);
        return new Verb("policy", "Write appraisal policies.") { sample.Runs(WriteAsync) };
    }

    private static async Task<ExitCode> WriteAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        GivenEvidence given = await Given.ReadAsync(parsed, cancellation);
        VerificationTime time = await Given.TimeAsync(parsed, cancellation);
        Appraisal appraisal = Appraisal.Of(given, null, time, Given.SignatureOnly(parsed));
        if (appraisal.Result.Refused is { } refused)
            throw new CommandException(appraisal.IsUnreadable ? ExitCode.BadInput : ExitCode.Refused, $"The sample is not genuine, so that it makes no policy; {Explanation.Refused(refused)}");
        TeePolicy policy = SampledPolicy.Of(appraisal.Claims!);
        if (Appraisal.Of(given, policy, time, Given.SignatureOnly(parsed)).Result.Refused is { } wrong)
            throw new CommandException(ExitCode.Refused, $"No strict policy accepts this sample; {Explanation.Refused(wrong)}");
        var document = (JsonObject)JsonNode.Parse(PolicyWriter.Write(policy))!;
        string text = document.ToJsonString(Indented);
        if (parsed.GetValue(Out) is not { } path)
        {
            screen.Result(screen.Json ? "" : text, document);
            return ExitCode.Success;
        }
        await LocalFile.WriteAsync(path, Encoding.UTF8.GetBytes(text + "\n"), cancellation);
        screen.Result($"wrote '{path}': a policy for {given.Kind}. Read it before you use it.", new JsonObject { ["policy"] = path, ["kind"] = $"{given.Kind}" });
        return ExitCode.Success;
    }
}

using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Cli.Attest;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class AttestExplainVerb
{
    private static readonly EvidenceOptions Given = new();
    private static readonly Option<string?> Policy = new("--policy") { Description = "Also say why this policy accepts or refuses it." };

    public static Command Create()
    {
        var verb = new Verb("explain", "Say in words what evidence states, and why it, or a policy, refuses it.",
            "cloister attest explain --report report.bin --vek vcek.der --policy policy.json",
            "cloister attest explain --quote quote.bin --signature-only") { Policy };
        Given.AddTo(verb);
        return verb.Runs(ExplainAsync);
    }

    private static async Task<ExitCode> ExplainAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        PackagePolicy? policy = parsed.GetValue(Policy) is { } path ? await PolicyFile.ReadAsync(path, cancellation) : null;
        GivenEvidence given = await Given.ReadAsync(parsed, cancellation);
        VerificationTime time = await Given.TimeAsync(parsed, cancellation);
        Appraisal appraisal = Appraisal.Of(given, policy, time, Given.SignatureOnly(parsed));
        Check? refused = appraisal.Result.Refused;
        List<string> sentences = appraisal.Stated is { } stated ? [.. Story.Of(stated)] : [];
        if (refused is null)
        {
            sentences.Add(appraisal.Judged ? "It is genuine, and the policy accepts it." : $"It is {appraisal.Proven}. No policy was given, so that nobody says whether it is wanted.");
            if (!appraisal.Fresh) sentences.Add("Nobody compared it with a nonce: it may be old.");
        }
        else
        {
            bool genuine = appraisal.Claims is not null;
            sentences.Add(genuine ? "It is genuine, but the policy refuses it." : appraisal.Stated is null ? "It cannot be read." : "It is NOT PROVEN: all of the above is only what it says of itself.");
            sentences.AddRange(Sentences(refused));
            // What proof refused was not judged; whoever repairs the proof wants to know what comes next.
            if (!genuine && policy is not null && appraisal.Stated is { } claims && VerifierRegistry.CreateDefault().Judge(policy, [claims], time).FirstOrDefault(check => check.Verdict == Verdict.Failed) is { } next)
                sentences.AddRange(["Were it proven, the policy would refuse it as well.", .. Sentences(next)]);
        }
        screen.Result(
            screen.Json ? "" : string.Join('\n', sentences),
            new JsonObject { ["accepted"] = refused is null, ["check"] = refused?.Id, ["advice"] = refused is null ? null : Advice.Of(refused), ["sentences"] = new JsonArray([.. sentences.Select(one => (JsonNode)one)]) });
        return refused is null ? ExitCode.Success : appraisal.IsUnreadable ? ExitCode.BadInput : ExitCode.Refused;
    }

    private static IEnumerable<string> Sentences(Check failed)
    {
        yield return $"Check {failed.Id} ({failed.Field}): {failed.Reason}.";
        if (failed.Value is { Length: > 0 } value) yield return $"It states {value}{(failed.Expected is { Length: > 0 } expected ? $"; what is asked is {expected}" : "")}.";
        yield return Advice.Of(failed);
    }
}

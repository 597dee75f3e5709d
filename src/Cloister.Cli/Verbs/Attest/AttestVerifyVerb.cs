using System.CommandLine;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Cli.Attest;
using Cloister.Cli.Attest.Cases;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class AttestVerifyVerb
{
    private static readonly EvidenceOptions Given = new();
    private static readonly Option<string?> Cases = new("--cases") { Description = "Verify every case of this file and compare with what it expects." };
    private static readonly Option<string?> Kind = new("--kind") { Description = "Of the cases, those of this kind: snp, tdx, sgx, rtmr, tpm, eventlog, akcert." };
    private static readonly Option<string?> Policy = new("--policy") { Description = "What is accepted (docs/formats/policy.md). Without one, evidence is proven and not judged." };

    private static readonly Option<string?> Ear = new("--ear") { Description = "Also write the result as an EAT attestation result (docs/formats/ear.md) to this file: JSON, or a JWT with --ear-key." };
    private static readonly Option<string?> EarKey = new("--ear-key") { Description = "Sign the attestation result with this P-256 key, PEM." };

    public static Command Create()
    {
        var verb = new Verb("verify", "Prove evidence up to its vendor's root, offline, and judge it by a policy; print every check.",
            "cloister attest verify --report report.bin --vek vcek.der --crl milan.crl --nonce 0011...eeff --policy policy.json",
            "cloister attest verify --quote quote.bin --collateral collateral.json --policy policy.json --at 2026-06-01T12:00:00Z",
            "cloister attest verify --quote quote.msg --signature quote.sig --ak ak.pub --pcrs pcrs.json --eventlog eventlog --nonce 0011...eeff",
            "cloister attest verify --report report.bin --vek vcek.der --nonce 0011...eeff --policy policy.json --ear result.jwt --ear-key verifier.key",
            "cloister attest verify --bundle case.json --json",
            "cloister attest verify --cases cases.json --kind snp") { Cases, Kind, Policy, Ear, EarKey };
        Given.AddTo(verb);
        return verb.Runs(VerifyAsync);
    }

    private static async Task<ExitCode> VerifyAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        if (parsed.GetValue(Cases) is { } path)
        {
            ImmutableArray<AttestationCase> cases = CaseReport.Read(await LocalFile.ReadAsync(path, cancellation), path);
            if (parsed.GetValue(Kind) is { } kind) cases = [.. cases.Where(one => one.Tee == kind)];
            return CaseReport.Run(cases, screen, cancellation);
        }
        if (parsed.GetValue(Policy) is null && await Given.ReadBundleAsync(parsed, cancellation) is { } one)
            return Run(Given.Freshness(parsed) is { } freshness ? one.Asking(Convert.ToHexStringLower(freshness)) : one, screen);
        PackagePolicy? policy = parsed.GetValue(Policy) is { } file ? await PolicyFile.ReadAsync(file, cancellation) : null;
        GivenEvidence given = await Given.ReadAsync(parsed, cancellation);
        VerificationTime time = await Given.TimeAsync(parsed, cancellation);
        Appraisal appraisal = Appraisal.Of(given, policy, time, Given.SignatureOnly(parsed));
        if (parsed.GetValue(Ear) is { } ear)
            await WriteEarAsync(appraisal, ear, parsed.GetValue(EarKey), cancellation);
        return Show(appraisal, given.Kind, screen);
    }

    private static async Task WriteEarAsync(Appraisal appraisal, string path, string? keyPath, CancellationToken cancellation)
    {
        if (!appraisal.Judged)
            throw new CommandException(ExitCode.Usage, "--ear needs --policy: an attestation result says what was judged.");
        var context = new EarContext("Cloister", typeof(AttestationResult).Assembly.GetName().Version!.ToString(3), TimeProvider.System.GetUtcNow());
        if (keyPath is null)
        {
            await LocalFile.WriteAsync(path, appraisal.Result.ToEar(context), cancellation);
            return;
        }
        using ECDsa key = await SigningKey.ReadAsync(keyPath, cancellation);
        try
        {
            await LocalFile.WriteAsync(path, Encoding.ASCII.GetBytes(EarToken.Sign(appraisal.Result, context, key)), cancellation);
        }
        catch (ArgumentException exception)
        {
            throw new CommandException(ExitCode.BadInput, $"'{keyPath}': {exception.Message}", exception);
        }
    }

    /// <summary>A case with its own policy.</summary>
    private static ExitCode Run(AttestationCase one, Screen screen)
    {
        CaseOutcome outcome;
        try
        {
            outcome = new CaseRunner().Run(one) ?? throw new CommandException(ExitCode.BadInput, $"This version does not verify evidence of kind '{one.Tee}'.");
        }
        catch (FormatException exception)
        {
            throw new CommandException(ExitCode.BadInput, exception.Message, exception);
        }
        return Show(new AttestationResult(outcome.Checks, outcome.Stated is { } stated ? [stated] : [], false), outcome.Ok, outcome.Failed ?? Check.Fail("decision", "case", Refusal.NoOutcome, "no check decided it"), screen, $"accepted: case {one.Id} holds for its own policy", new JsonObject { ["id"] = one.Id, ["status"] = outcome.Field(DcapFields.TcbStatus) });
    }

    private static ExitCode Show(Appraisal appraisal, TeeKind kind, Screen screen)
    {
        string fresh = appraisal.Fresh ? "and fresh for the given nonce" : "but NOT shown to be fresh: no --nonce or --report-data was given";
        string text = appraisal.Judged ? $"accepted: {kind} evidence, genuine, as the policy asks, {fresh}" : $"proven: {kind} evidence, {appraisal.Proven}, {fresh}. Nothing was judged: no --policy was given";
        if (!appraisal.Judged && appraisal.Claims?.Fields.GetValueOrDefault(DcapFields.TcbStatus) is { } status) text += $" (the platform is {status})";
        return Show(appraisal.Result, appraisal.Result.Refused is null, appraisal.Result.Refused, screen, text, new JsonObject { ["judged"] = appraisal.Judged, ["fresh"] = appraisal.Fresh });
    }

    private static ExitCode Show(AttestationResult result, bool ok, Check? refused, Screen screen, string accepted, JsonObject beside)
    {
        Peer.Print(result, screen);
        JsonObject document = screen.Json ? (JsonObject)JsonNode.Parse(result.ToJson())! : [];
        document["accepted"] = ok;
        if (ok) document["refused"] = null;
        foreach ((string name, JsonNode? value) in beside)
            document[name] = value?.DeepClone();
        screen.Result(ok ? accepted : Explanation.Refused(refused!), document);
        return ok ? ExitCode.Success : refused!.Id == "format" ? ExitCode.BadInput : ExitCode.Refused;
    }
}

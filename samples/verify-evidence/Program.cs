using System.Globalization;
using Cloister.Attestation;
using Cloister.Attestation.SevSnp;

namespace Cloister.Samples.VerifyEvidence;

/// <summary>Verifies one SEV-SNP report with the certificate of the key that signed it, and prints every check.</summary>
internal static class Program
{
    private const int Accepted = 0, Refused = 1, WrongUse = 2;

    private const string Usage = "verify-evidence REPORT VEK [--policy FILE] [--crl FILE] [--report-data HEX] [--at TIME]";

    internal static int Main(string[] arguments) => Run(arguments, Console.Out, TimeProvider.System);

    internal static int Run(string[] arguments, TextWriter output, TimeProvider clock)
    {
        if (arguments is not [string reportPath, string vekPath, .. string[] rest] || !TryOptions(rest, out Dictionary<string, string> options)) return Say(output, Usage, WrongUse);
        DateTimeOffset moment = clock.GetUtcNow();
        if (options.TryGetValue("--at", out string? at) && !DateTimeOffset.TryParse(at, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out moment)) return Say(output, "--at is not a time", WrongUse);
        VerificationTime time = VerificationTime.At(moment);

        var endorsements = new Endorsements([new Endorsement(SnpEndorsements.SigningKey, File.ReadAllBytes(vekPath))]);
        if (options.TryGetValue("--crl", out string? crl)) endorsements = new Endorsements(endorsements.Items.Add(new Endorsement(SnpEndorsements.RevocationList, File.ReadAllBytes(crl))));
        Proof proof = new SnpVerifier().ProveReport(File.ReadAllBytes(reportPath), endorsements, Anchors.Pinned, time, revocationRequired: false);
        if (!options.TryGetValue("--policy", out string? policyPath))
        {
            foreach (Check check in proof.Checks)
                Print(output, check);
            return proof.Claims is null
                ? Say(output, "refused", Refused)
                : Say(output, "genuine: an AMD processor signed it. Without --policy nothing was asked of what it says", Accepted);
        }

        Outcome<PackagePolicy> read = PolicyReader.Read(File.ReadAllBytes(policyPath));
        if (!read.TryGetValue(out PackagePolicy? given)) return Say(output, $"{read.Field}: {read.Reason}", WrongUse);
        if (given is not SnpPolicy policy) return Say(output, "the policy is not for SevSnp", WrongUse);
        if (options.TryGetValue("--report-data", out string? reportData)) policy = policy with { ReportData = Requirement.Exactly(reportData) };
        AttestationResult result = proof.Judge(new SnpAppraiser(), policy, time);
        foreach (Check check in result.Checks)
            Print(output, check);
        return result.TryAccept(out Claims? claims, out Check? refused)
            ? Say(output, $"accepted: {claims.Fields[SnpFields.Product]} runs {claims.Measurement}", Accepted)
            : Say(output, $"refused: {(int)refused.Refusal} {refused.Refusal}: {refused.Reason}", Refused);
    }

    private static void Print(TextWriter output, Check check)
    {
        string mark = check.Verdict switch { Verdict.Passed => "ok", Verdict.Failed => "FAILED", _ => "-" };
        output.WriteLine($"{mark,-7}{check.Id,-20}{check.Value}{(check.Reason.Length > 0 ? $"  {check.Reason}" : "")}");
    }

    private static bool TryOptions(string[] rest, out Dictionary<string, string> options)
    {
        options = [];
        for (int i = 0; i + 1 < rest.Length; i += 2)
            if (rest[i] is not ("--policy" or "--crl" or "--report-data" or "--at") || !options.TryAdd(rest[i], rest[i + 1])) return false;
        return rest.Length % 2 == 0;
    }

    private static int Say(TextWriter output, string line, int exit)
    {
        output.WriteLine(line);
        return exit;
    }
}

using Cloister.Samples.VerifyEvidence;
using Cloister.Tests;

namespace Cloister.Samples.Tests;

/// <summary>The sample verifies a real report, and refuses what differs.</summary>
public sealed class VerifyEvidenceTests
{
    private static readonly string Policy = Path.Combine(TestData.RepositoryRoot, "samples", "verify-evidence", "policy.json");

    private static string Report => TestData.Path("attestation/snp/real/snp-real-genoa-v3.bin");

    private static string Certificate => TestData.Path("attestation/snp/real/snp-real-genoa-v3.vek.der");

    [SharedDataFact]
    public void A_real_report_is_genuine_and_as_the_policy_wants_it()
    {
        Assert.Equal((0, "genuine"), Run(Report, Certificate, "--at", "2026-06-01T00:00:00Z"));
        Assert.Equal((0, "accepted"), Run(Report, Certificate, "--at", "2026-06-01T00:00:00Z", "--policy", Policy));
        Assert.Equal((0, "accepted"), Run(Report, Certificate, "--at", "2026-06-01T00:00:00Z", "--policy", Policy, "--report-data", new string('0', 128)));
    }

    [SharedDataFact]
    public void What_differs_is_refused()
    {
        Assert.Equal((1, "refused"), Run(Report, Certificate, "--at", "2026-06-01T00:00:00Z", "--policy", Policy, "--report-data", new string('1', 128)));
        Assert.Equal((1, "refused"), Run(Report, Certificate, "--at", "2000-01-01T00:00:00Z"));
        Assert.Equal((1, "refused"), Run(TestData.Path("attestation/snp/real/snp-real-turin-v5.bin"), Certificate, "--at", "2026-06-01T00:00:00Z", "--policy", Policy));
        Assert.Equal(2, Run(Report, Certificate, "--policy").Exit);
        Assert.Equal(2, Run(Report).Exit);
    }

    private static (int Exit, string Word) Run(params string[] arguments)
    {
        using var output = new StringWriter();
        int exit = Program.Run(arguments, output, TimeProvider.System);
        string last = output.ToString().TrimEnd().Split('\n')[^1];
        return (exit, last.Split(':')[0]);
    }
}

using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Cloister.Attestation;
using Cloister.Attestation.SevSnp;

namespace Cloister.Tests;

/// <summary>What the package's README shows is true: its lines, on a real report.</summary>
public sealed partial class ReadmeTests
{
    private static readonly TimeProvider clock = new FixedClock(new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero));

    [SharedDataFact]
    public void A_real_report_is_verified_as_the_readme_does()
    {
        byte[] report = File.ReadAllBytes(TestData.Path("attestation/snp/real/snp-real-genoa-v3.bin")), vcek = File.ReadAllBytes(TestData.Path("attestation/snp/real/snp-real-genoa-v3.vek.der"));
        byte[] policyJson = File.ReadAllBytes(Path.Combine(TestData.RepositoryRoot, "samples", "verify-evidence", "policy.json"));
        byte[] expectedReportData = new byte[64];
        var said = new StringWriter();

        AttestationResult result = Verify(report, vcek, policyJson, expectedReportData, said);
        Assert.Null(result.Refused);
        Assert.Equal("Genoa", result.RequireAccepted().Fields[SnpFields.Product]);
        Assert.Contains("Passed     signature", said.ToString(), StringComparison.Ordinal);

        expectedReportData[63] = 1;
        Assert.Equal("report_data", Verify(report, vcek, policyJson, expectedReportData, said).Refused!.Id);
        report[0x90] ^= 1;
        Assert.Equal("signature", Verify(report, vcek, policyJson, expectedReportData, said).Refused!.Id);
    }

    [Fact]
    public async Task A_peer_is_appraised_as_the_readme_does()
    {
        byte[] policyJson = PolicyWriter.Write(Sample.Policy), peerKey = Sample.PeerKey;
        static Task<byte[]> askForEvidence(byte[] nonce) => Task.FromResult(EvidenceCodec.Encode(Sample.Set(new Binding(AttesterRole.Workload, nonce, Sample.PeerKey))));

        byte[] nonce = RandomNumberGenerator.GetBytes(32);
        byte[] encoded = await askForEvidence(nonce);

        PackagePolicy policy = PolicyReader.Read(policyJson).Value;
        var expected = new Binding(AttesterRole.Workload, nonce, peerKey);
        AttestationResult result = VerifierRegistry.CreateDefault().Appraise(encoded, expected, policy, VerificationTime.At(clock.GetUtcNow()));

        if (!result.TryAccept(out Claims? claims, out Check? refused))
            throw new InvalidOperationException($"{(int)refused.Refusal} {refused.Id}: {refused.Reason}");
        Console.WriteLine($"runs {claims.Measurement}, simulated: {result.Simulated}");
    }

    [Fact]
    public async Task Every_line_of_code_in_the_readme_stands_here()
    {
        string readme = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "src/Cloister.Attestation/README.md"));
        string[] here = [.. (await File.ReadAllLinesAsync(Path.Combine(TestData.RepositoryRoot, "tests/Cloister.Attestation.Tests/ReadmeTests.cs"))).Select(line => line.Trim())];
        Assert.All(Snippet().Matches(readme).SelectMany(snippet => snippet.Groups[1].Value.Split('\n')), line => Assert.Contains(line.Trim(), here));
    }

    private static AttestationResult Verify(byte[] report, byte[] vcek, byte[] policyJson, byte[] expectedReportData, TextWriter console)
    {
        var time = VerificationTime.At(clock.GetUtcNow());
        var policy = (SnpPolicy)PolicyReader.Read(policyJson).Value with { ReportData = Requirement.Exactly(Convert.ToHexStringLower(expectedReportData)) };
        var endorsements = new Endorsements([new Endorsement(SnpEndorsements.SigningKey, vcek)]);
        Proof proof = new SnpVerifier().ProveReport(report, endorsements, Anchors.Pinned, time, policy.RequireRevocationCheck);
        AttestationResult result = proof.Judge(new SnpAppraiser(), policy, time);
        foreach (Check check in result.Checks)
            console.WriteLine($"{check.Verdict,-10} {check.Id}: {check.Value} {check.Reason}");
        if (result.TryAccept(out Claims? claims, out Check? refused)) console.WriteLine($"a {claims.Fields[SnpFields.Product]} runs {claims.Measurement}");
        else console.WriteLine($"{(int)refused.Refusal} {refused.Refusal}: {refused.Reason}");
        return result;
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Snippet();

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}

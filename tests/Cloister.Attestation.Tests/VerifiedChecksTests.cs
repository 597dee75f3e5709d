using System.Text.RegularExpressions;
using Cloister.Attestation;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;
using Cloister.Attestation.Tpm;

namespace Cloister.Tests;

/// <summary>docs/attestation.md lists every check that a verifier or appraiser makes, in order, and names only tests that exist.</summary>
public sealed partial class VerifiedChecksTests
{
    private static readonly string[] Document = File.ReadAllLines(Path.Combine(TestData.RepositoryRoot, "docs", "attestation.md"));

    [Fact]
    public void Every_check_is_listed_and_no_other()
    {
        Same("SEV-SNP", [new SnpVerifier()], [new SnpAppraiser()]);
        Same("TDX and SGX", [new TdxVerifier(), new SgxVerifier()], [new TdxAppraiser(), new SgxAppraiser()]);
        Same("TPM", [new TpmVerifier()], [new TpmAppraiser()]);
    }

    [Fact]
    public void Every_test_that_is_named_exists()
    {
        HashSet<string> tests = [.. typeof(VerifiedChecksTests).Assembly.GetTypes().SelectMany(type => type.GetMethods()).Where(method => method.IsDefined(typeof(FactAttribute), true)).Select(method => method.Name)];
        // Exchanges are tested where both of their sides are.
        foreach (string file in new[] { "Cloister.Coordinator.Tests/Activation/EnrolmentTests.cs", "Cloister.Client.Tests/Tpm/TpmDeploymentTests.cs" })
            tests.UnionWith(TestMethod().Matches(File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "tests", file))).Select(match => match.Groups[1].Value));
        string[] named = [.. Document.SelectMany(line => TestName().Matches(line)).Select(match => match.Groups[1].Value).Distinct()];
        Assert.True(named.Length > 30, $"{named.Length}");
        Assert.Empty(named.Except(tests));
    }

    private static void Same(string section, IVerifier[] verifiers, IAppraiser[] appraisers) => Assert.Equal(
        verifiers.SelectMany(one => one.Plan).Concat(appraisers.SelectMany(one => one.Plan)).Select(check => check.Id).Distinct().Order(StringComparer.Ordinal),
        Document.SkipWhile(line => line != $"## {section}").Skip(1).TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))
            .Select(line => CheckName().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal));

    [GeneratedRegex("^\\| `([a-z0-9_.]+)` \\|")]
    private static partial Regex CheckName();

    [GeneratedRegex("public (?:async Task|Task|void) ([A-Z][A-Za-z0-9]*_[A-Za-z0-9_]+)\\(")]
    private static partial Regex TestMethod();

    [GeneratedRegex("`([A-Z][A-Za-z0-9]*_[A-Za-z0-9_]+)`")]
    private static partial Regex TestName();
}

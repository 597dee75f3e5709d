using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Cloister.Attestation;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;

namespace Cloister.Tests;

/// <summary>Numbers that others rely on stand in documents; code and documents agree, both ways.</summary>
public sealed partial class DocumentsTests
{
    [Fact]
    public void Refusals_are_those_of_the_document() => Assert.Equal(
        Row().Matches(Document("attestation-result.md")).Select(row => (int.Parse(row.Groups[1].Value, CultureInfo.InvariantCulture), row.Groups[2].Value)).ToArray(),
        Enum.GetValues<Refusal>().Select(refusal => ((int)refusal, $"{refusal}")).Order().ToArray());

    [Fact]
    public void Kinds_of_tee_are_those_of_the_document() =>
        Assert.Contains("kind: " + string.Join(", ", Enum.GetValues<TeeKind>().Select(kind => $"{(int)kind} {kind}")), Document("evidence.md"), StringComparison.Ordinal);

    [Fact]
    public void Checks_are_those_of_the_document()
    {
        string document = Document("attestation-result.md");
        AttestationResult result = Sample.Registry.Appraise(EvidenceCodec.Encode(Sample.Set()), Sample.Binding, Sample.Policy, Sample.Time);
        Assert.All(result.Checks, check => Assert.Contains($"`{check.Id}`", document, StringComparison.Ordinal));
        IEnumerable<PlannedCheck> plans = [.. new SnpVerifier().Plan, .. new SnpAppraiser().Plan, .. new TdxVerifier().Plan, .. new TdxAppraiser().Plan, .. new SgxVerifier().Plan, .. new SgxAppraiser().Plan];
        Assert.All(plans, check => Assert.Contains($"`{check.Id}`", document, StringComparison.Ordinal));
    }

    [Fact]
    public void The_policy_of_the_document_can_be_read()
    {
        MatchCollection examples = Example().Matches(Document("policy.md"));
        Assert.NotEmpty(examples);
        Assert.All(examples, example =>
        {
            Outcome<PackagePolicy> policy = PolicyReader.Read(Encoding.UTF8.GetBytes(example.Groups[1].Value));
            Assert.True(policy.IsAccepted, policy.Reason);
            byte[] written = PolicyWriter.Write(policy.Value);
            Assert.Equal(written, PolicyWriter.Write(PolicyReader.Read(written).Value));
        });
    }

    [Fact]
    public void Names_in_SevSnp_evidence_are_those_of_the_document()
    {
        string document = Document("snp-report.md");
        IEnumerable<object?> names = typeof(SnpFields).GetFields().Concat(typeof(SnpEndorsements).GetFields()).Where(field => field.IsLiteral).Select(field => field.GetRawConstantValue());
        Assert.All(names, name => Assert.Contains($"`{name}`", document, StringComparison.Ordinal));
    }

    private static string Document(string name) => File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "docs/formats", name));

    [GeneratedRegex(@"^\| (\d+) \| (\w+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();
}

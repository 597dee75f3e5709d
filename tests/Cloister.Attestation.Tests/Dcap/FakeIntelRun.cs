using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;

namespace Cloister.Tests.Dcap;

/// <summary>Proves and judges what a <see cref="FakeIntel"/> made.</summary>
internal static class FakeIntelRun
{
    public static readonly VerificationTime Time = VerificationTime.At(FakeIntel.Now);
    public static readonly DcapMemory Memory = new();

    public static Endorsements Given(FakeIntel fake) => new([new Endorsement(DcapCollateral.EndorsementKind, fake.Collateral().ToJson())]);

    public static IVerifier Verifier(FakeIntel fake) => fake.Sgx ? new SgxVerifier(Memory) : new TdxVerifier(Memory);

    public static ImmutableArray<Check> Run(FakeIntel fake, TeePolicy? policy = null, VerificationTime? time = null)
    {
        IAppraiser appraiser = fake.Sgx ? new SgxAppraiser() : new TdxAppraiser();
        var evidence = new Evidence(fake.Kind, fake.Quote(), default, default, []);
        Proof proof = Verifier(fake).Prove(evidence, FakeIntel.ReportData, Given(fake), fake.Anchors, time ?? Time);
        return [.. proof.Checks, .. proof.Claims is { } claims ? appraiser.Judge(claims, policy ?? (fake.Sgx ? DcapPolicies.Sgx : DcapPolicies.Tdx), time ?? Time) : []];
    }

    public static string? Status(FakeIntel fake)
    {
        var evidence = new Evidence(fake.Kind, fake.Quote(), default, default, []);
        return Verifier(fake).Prove(evidence, FakeIntel.ReportData, Given(fake), fake.Anchors, Time).Claims?.Fields[DcapFields.TcbStatus];
    }

    public static void AssertRefused(ImmutableArray<Check> checks, string id, Refusal refusal)
    {
        Check failed = Assert.IsType<Check>(Failed(checks));
        Assert.Equal((id, refusal), (failed.Id, failed.Refusal));
        Assert.NotEmpty(failed.Reason);
    }

    public static Check? Failed(ImmutableArray<Check> checks) => checks.FirstOrDefault(check => check.Verdict != Verdict.Passed);
}

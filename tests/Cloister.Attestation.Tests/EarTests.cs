using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.SevSnp;
using Cloister.Tests.Dcap;

namespace Cloister.Tests;

/// <summary>Results as EAR say no more than the checks do, and never "affirming" of what was refused, simulated or under debug.</summary>
public sealed class EarTests
{
    private static readonly EarContext Context = new("https://example.org", "1", DateTimeOffset.FromUnixTimeSeconds(1780272000));

    [Fact]
    public void The_written_form_is_frozen()
    {
        AttestationResult result = new(
            [Check.Pass("policy.debug", "evidence[0].report.policy"), Check.Pass("measurement", "evidence[0].report.measurement", "aa", "aa"), Check.Pass("chip", "evidence[0].report.chipId", "bb", "any")],
            [new Claims(TeeKind.SevSnp, false, "aa", ImmutableDictionary<string, string>.Empty.Add(SnpFields.Product, "Genoa").Add(SnpFields.GuestPolicy, "0x0000000000030000"))],
            false);
        EarContext context = Context with { ExpiresAt = Context.IssuedAt.AddHours(1), Nonce = new byte[] { 1, 2, 3, 4, 5, 6, 7, 255 }, PolicyId = "https://example.org/policy/7" };
        const string expected = """
            {"eat_profile":"tag:ietf.org,2026:rats/ear#04","iat":1780272000,"exp":1780275600,"eat_nonce":"AQIDBAUGB_8","ear_verifier_id":{"developer":"https://example.org","build":"1"},"submods":{"evidence-0":{"ear_status":"affirming","ear_trustworthiness_vector":{"configuration":2,"executables":3,"hardware":2,"runtime-opaque":2},"ear_appraisal_policy_ids":["https://example.org/policy/7"],"ear_attester_claims":{"kind":"SevSnp","simulated":false,"measurement":"aa","fields":{"guestPolicy":"0x0000000000030000","product":"Genoa"}},"ear_verifier_claims":{"accepted":true}}}}
            """;
        Assert.Equal(expected, Encoding.UTF8.GetString(result.ToEar(context)));
        Assert.Equal("b5819cd207afe77dd1cd8bd94971ded216371711a5727f1f2a532de14f75a7a3", Convert.ToHexStringLower(SHA256.HashData(result.ToEar(context))));
    }

    [Fact]
    public void Simulated_evidence_is_never_affirmed()
    {
        JsonElement accepted = Submod(Sample.Appraise(Sample.Set()));
        Assert.Equal("contraindicated", accepted.GetProperty("ear_status").GetString());
        Assert.Equal(97, Value(accepted, "hardware"));
        Assert.Equal(3, Value(accepted, "executables"));
        Assert.True(accepted.GetProperty("ear_verifier_claims").GetProperty("accepted").GetBoolean());

        JsonElement refused = Submod(Sample.Appraise(Sample.Set(), Sample.OtherPolicy));
        Assert.Equal(33, Value(refused, "executables"));
        Assert.Equal(1400, refused.GetProperty("ear_verifier_claims").GetProperty("refusal").GetInt32());

        JsonElement forged = Submod(Sample.Appraise(Sample.Set(hostKey: Sample.OtherKey)));
        Assert.Equal("contraindicated", forged.GetProperty("ear_status").GetString());
    }

    [Theory]
    [InlineData("0x0000000000030000", true, "affirming", 2, 2)]
    [InlineData("0x00000000000b0000", true, "contraindicated", 96, 96)]
    [InlineData("0x00000000000b0000", false, "contraindicated", 96, 96)]
    [InlineData("rubbish", true, "contraindicated", 96, 96)]
    public void A_guest_that_can_be_debugged_is_never_affirmed(string guestPolicy, bool accepted, string status, int configuration, int opaque)
    {
        Check debug = accepted ? Check.Pass("policy.debug", "report.policy") : Check.Fail("policy.debug", "report.policy", Refusal.SnpDebugNotAccepted, "debug");
        JsonElement submod = Submod(new AttestationResult([debug], [new Claims(TeeKind.SevSnp, false, "aa", ImmutableDictionary<string, string>.Empty.Add(SnpFields.GuestPolicy, guestPolicy))], false));
        Assert.Equal((status, configuration, opaque), (submod.GetProperty("ear_status").GetString(), Value(submod, "configuration"), Value(submod, "runtime-opaque")));
    }

    [Theory]
    [InlineData(TcbStatus.UpToDate, "affirming", 2)]
    [InlineData(TcbStatus.SWHardeningNeeded, "warning", 32)]
    [InlineData(TcbStatus.OutOfDate, "warning", 32)]
    [InlineData(TcbStatus.NotEvaluated, "warning", 32)]
    [InlineData(TcbStatus.Revoked, "contraindicated", 96)]
    public void A_platforms_status_shows(TcbStatus status, string expected, int hardware)
    {
        var claims = new Claims(TeeKind.Tdx, false, "aa", ImmutableDictionary<string, string>.Empty.Add(DcapFields.TcbStatus, $"{status}").Add("attributes", "0000000010000000"));
        JsonElement submod = Submod(new AttestationResult([Check.Pass("policy.debug", "report.attributes")], [claims], false));
        Assert.Equal((expected, hardware), (submod.GetProperty("ear_status").GetString(), Value(submod, "hardware")));
    }

    [Theory]
    [InlineData("any", "none")]
    [InlineData("000b", "affirming")]
    public void A_quote_by_a_key_that_anybody_may_hold_affirms_nothing(string wanted, string status) => Assert.Equal(status,
        Submod(new AttestationResult([Check.Pass("ak_binding", "report.key", "000b", wanted)], [new Claims(TeeKind.Tpm, false, "", ImmutableDictionary<string, string>.Empty)], false)).GetProperty("ear_status").GetString());

    [Fact]
    public void A_real_chain_of_checks_is_told_apart()
    {
        Assert.Equal("affirming", Status(new FakeIntel(), out int? hardware));
        Assert.Equal(2, hardware);
        Assert.Equal("contraindicated", Status(new FakeIntel { QuoteSigner = FakeIntel.OtherKey }, out hardware));
        Assert.Equal(99, hardware);
        Assert.Equal("contraindicated", Status(new FakeIntel { RevokeLeaf = true }, out hardware));
        Assert.Equal(96, hardware);
        Assert.Equal("contraindicated", Status(new FakeIntel { QeSvn = 7 }, out hardware));
        Assert.Equal(32, hardware);
    }

    [Fact]
    public void Every_piece_of_evidence_has_its_entry()
    {
        byte[] other = SHA256.HashData("another"u8);
        using JsonDocument both = JsonDocument.Parse(Sample.Appraise(Sample.Pair(other), new AnyOf([Sample.Policy, Sample.Policy with { Digest = Requirement.Exactly(Convert.ToHexStringLower(other)) }])).ToEar(Context));
        Assert.Equal(["evidence-0", "evidence-1"], both.RootElement.GetProperty("submods").EnumerateObject().Select(one => one.Name));
        using JsonDocument nothing = JsonDocument.Parse(new AttestationResult([], [], false).ToEar(Context));
        Assert.Equal("contraindicated", nothing.RootElement.GetProperty("submods").GetProperty("evidence-0").GetProperty("ear_status").GetString());
    }

    [Fact]
    public void A_token_is_signed_by_the_issuers_key()
    {
        AttestationResult result = Sample.Appraise(Sample.Set());
        string[] parts = EarToken.Sign(result, Context, Sample.OtherKey, "key-1").Split('.');
        Assert.Equal("""{"alg":"ES256","typ":"eat+jwt","kid":"key-1"}""", Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[0])));
        Assert.Equal(result.ToEar(Context), Base64Url.DecodeFromChars(parts[1]));
        byte[] signed = Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), signature = Base64Url.DecodeFromChars(parts[2]);
        Assert.True(Sample.OtherKey.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
        Assert.False(Sample.HostKey.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
    }

    [Fact]
    public void A_callers_mistake_is_one()
    {
        AttestationResult result = Sample.Appraise(Sample.Set());
        using ECDsa otherCurve = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.Throws<ArgumentException>(() => EarToken.Sign(result, Context, otherCurve));
        Assert.Throws<ArgumentException>(() => result.ToEar(Context with { Nonce = new byte[7] }));
        Assert.Throws<ArgumentException>(() => result.ToEar(Context with { Nonce = new byte[65] }));
    }

    private static string? Status(FakeIntel fake, out int? hardware)
    {
        var verifier = new Attestation.Tdx.TdxVerifier();
        var evidence = new Evidence(fake.Kind, fake.Quote(), default, default, []);
        var endorsements = new Endorsements([new Endorsement(DcapCollateral.EndorsementKind, fake.Collateral().ToJson())]);
        Proof proof = verifier.Prove(evidence, FakeIntel.ReportData, endorsements, fake.Anchors, VerificationTime.At(FakeIntel.Now));
        JsonElement submod = Submod(proof.Judge(new Attestation.Tdx.TdxAppraiser(), DcapPolicies.Tdx, VerificationTime.At(FakeIntel.Now)));
        hardware = Value(submod, "hardware");
        return submod.GetProperty("ear_status").GetString();
    }

    private static JsonElement Submod(AttestationResult result)
    {
        using JsonDocument ear = JsonDocument.Parse(result.ToEar(Context));
        return ear.RootElement.GetProperty("submods").GetProperty("evidence-0").Clone();
    }

    private static int? Value(JsonElement submod, string name) => submod.GetProperty("ear_trustworthiness_vector").TryGetProperty(name, out JsonElement value) ? value.GetInt32() : null;
}

using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Simulation;

namespace Cloister.Tests;

public sealed class SimulationTests
{
    [Fact]
    public void Genuine_fresh_and_wanted_evidence_is_accepted()
    {
        AttestationResult result = Sample.Appraise(Sample.Set());
        Claims claims = result.RequireAccepted();
        Assert.Equal(TeeKind.Simulation, claims.Kind);
        Assert.True(claims.Simulated);
        Assert.True(result.Simulated);
        Assert.Equal(Sample.Digest, claims.Measurement);
        Assert.Equal("/app/cloister", claims.Fields[SimulationFields.Executable]);
        Assert.Equal(Convert.ToBase64String(Sample.HostKey.ExportSubjectPublicKeyInfo()), claims.Fields[SimulationFields.HostKey]);
        Assert.All(result.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
    }

    [Fact]
    public void The_layout_is_frozen()
    {
        byte[] body = SimulationLayout.WriteBody(SimulationLayout.Parse(Report()).Value);
        Assert.Equal("eea8affebad5d81ed864819a22e980e0e66f3f412b49cf08c2d719d977e4a3f9", Convert.ToHexStringLower(SHA256.HashData(body)));
        Assert.Equal("98584a10c822bb33e52a4e78ae881636cac985903274e28e31eef2d5312ab40f", Convert.ToHexStringLower(SHA256.HashData(SimulationLayout.Signed(body))));
    }

    [Fact]
    public void A_report_signed_earlier_still_verifies()
    {
        byte[] report = Convert.FromBase64String(FrozenReport);
        Assert.Equal(Report()[..^64], report[..^64]);
        EvidenceSet set = Sample.Set();
        Sample.Appraise(set with { Primary = set.Primary with { Report = report } }).RequireAccepted();
    }

    [Fact]
    public void Every_flipped_bit_of_a_report_is_refused()
    {
        EvidenceSet set = Sample.Set();
        for (int bit = 0; bit < set.Primary.Report.Length * 8; bit++)
        {
            byte[] report = set.Primary.Report.ToArray();
            report[bit / 8] ^= (byte)(1 << (bit % 8));
            AttestationResult result = Sample.Appraise(set with { Primary = set.Primary with { Report = report } }, Sample.Policy with { Digest = Requirement.Any<string>() });
            Assert.True(result.Refused is { Verdict: Verdict.Failed }, $"bit {bit} was not noticed");
        }
    }

    [Fact]
    public void Every_flipped_bit_of_encoded_evidence_is_refused()
    {
        byte[] encoded = EvidenceCodec.Encode(Sample.Set());
        for (int bit = 0; bit < encoded.Length * 8; bit++)
        {
            byte[] changed = [.. encoded];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            AttestationResult result = Sample.Registry.Appraise(changed, Sample.Binding, Sample.Policy, Sample.Time);
            Assert.True(result.Refused is { Verdict: Verdict.Failed }, $"bit {bit} was not noticed");
        }
        Sample.Registry.Appraise(encoded, Sample.Binding, Sample.Policy, Sample.Time).RequireAccepted();
    }

    [Fact]
    public void Another_role_is_refused() => Assert.Equal(Refusal.RoleMismatch,
        Sample.RefusalOf(Sample.Appraise(Sample.Set(new Binding(AttesterRole.Coordinator, Sample.Nonce, Sample.PeerKey)))));

    [Fact]
    public void Another_nonce_is_refused() => Assert.Equal(Refusal.NonceMismatch,
        Sample.RefusalOf(Sample.Appraise(Sample.Set(new Binding(AttesterRole.Workload, new byte[32], Sample.PeerKey)))));

    [Fact]
    public void Another_key_is_refused() => Assert.Equal(Refusal.KeyMismatch,
        Sample.RefusalOf(Sample.Appraise(Sample.Set(new Binding(AttesterRole.Workload, Sample.Nonce, Sample.HostKey.ExportSubjectPublicKeyInfo())))));

    [Theory]
    [InlineData("role")]
    [InlineData("nonce")]
    [InlineData("key")]
    public void Replayed_evidence_that_states_the_expected_binding_is_refused(string part)
    {
        var old = new Binding(
            part == "role" ? AttesterRole.Coordinator : AttesterRole.Workload,
            part == "nonce" ? new byte[32] : Sample.Nonce,
            part == "key" ? Sample.HostKey.ExportSubjectPublicKeyInfo() : Sample.PeerKey);
        Assert.Equal(Refusal.ReportDataMismatch, Sample.RefusalOf(Sample.Appraise(Sample.Set(old) with { Stated = Sample.Binding })));
    }

    [Fact]
    public void Other_runtime_data_are_refused()
    {
        EvidenceSet set = Sample.Set();
        Assert.Equal(Refusal.ReportDataMismatch, Sample.RefusalOf(Sample.Appraise(set with { Primary = set.Primary with { RuntimeData = "{}"u8.ToArray() } })));
    }

    [Fact]
    public void Added_or_dropped_evidence_is_refused()
    {
        EvidenceSet set = Sample.Set(), pair = Sample.Pair(Sample.Measurement);
        Assert.Equal(Refusal.ReportDataMismatch, Sample.RefusalOf(Sample.Appraise(set with { Others = pair.Others })));
        Assert.Equal(Refusal.ReportDataMismatch, Sample.RefusalOf(Sample.Appraise(pair with { Others = [] })));
    }

    [Fact]
    public void A_host_key_that_the_policy_does_not_name_is_refused() => Assert.Equal(Refusal.HostKeyNotAccepted,
        Sample.RefusalOf(Sample.Appraise(Sample.Set(hostKey: Sample.OtherKey), Sample.Policy with { Digest = Requirement.Any<string>() })));

    [Fact]
    public void Another_program_is_refused()
    {
        AttestationResult result = Sample.Appraise(Sample.Set(measurement: SHA256.HashData("another program"u8)));
        Assert.Equal(Refusal.MeasurementNotAccepted, Sample.RefusalOf(result));
        Assert.Equal("simulation.digest", result.Refused!.Id);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData("another program"u8)), result.Refused.Value);
        Assert.Equal(Sample.Digest, result.Refused.Expected);
    }

    [Fact]
    public void A_policy_without_host_keys_or_with_an_ordered_digest_accepts_nothing()
    {
        Assert.Equal(Refusal.HostKeyNotAccepted, Sample.RefusalOf(Sample.Appraise(Sample.Set(), Sample.Policy with { HostKeys = default })));
        Assert.Equal(Refusal.RequirementNotApplicable, Sample.RefusalOf(Sample.Appraise(Sample.Set(), Sample.Policy with { Digest = Requirement.AtLeast("0") })));
        Assert.Equal(Refusal.MeasurementNotAccepted, Sample.RefusalOf(Sample.Appraise(Sample.Set(), Sample.Policy with { Digest = Requirement.OneOf<string>(default) })));
    }

    [Fact]
    public void A_digest_may_be_one_of_several_or_any()
    {
        Sample.Appraise(Sample.Set(), Sample.Policy with { Digest = Requirement.OneOf(new string('0', 64), Sample.Digest) }).RequireAccepted();
        Sample.Appraise(Sample.Set(), Sample.Policy with { Digest = Requirement.Any<string>() }).RequireAccepted();
    }

    [Fact]
    public void An_event_log_or_endorsement_is_refused_where_nobody_makes_one()
    {
        EvidenceSet set = Sample.Set();
        Assert.Equal(Refusal.EventLogUnexpected, Sample.RefusalOf(Sample.Appraise(set with { Primary = set.Primary with { EventLog = new byte[1] } })));
        Assert.Equal(Refusal.EndorsementUnexpected, Sample.RefusalOf(Sample.Appraise(set with { Primary = set.Primary with { Endorsements = [new Endorsement("chain", default)] } })));
    }

    public static TheoryData<string, Refusal> Damages() => new()
    {
        { "magic", Refusal.ReportMagic },
        { "version", Refusal.ReportVersion },
        { "key length", Refusal.ReportField },
        { "key", Refusal.SignerKeyInvalid },
        { "path", Refusal.ReportField },
        { "cut", Refusal.ReportTruncated },
        { "trailing", Refusal.ReportTrailingBytes },
        { "signature", Refusal.SignatureInvalid },
    };

    [Theory, MemberData(nameof(Damages))]
    public void A_damaged_report_is_refused_by_its_number(string damage, Refusal expected)
    {
        byte[] report = Report();
        const int pathAt = 27 + 2 + 4 + 91 + 32 + 64 + 4;
        switch (damage)
        {
            case "magic": report[0] ^= 1; break;
            case "version": report[27] = 2; break;
            case "key length": report[30] = 2; break;
            case "key": report[33] ^= 1; break;
            case "path": report[pathAt] = 0xFF; break;
            case "cut": report = report[..^1]; break;
            case "trailing": report = [.. report, 0]; break;
            case "signature": report[^1] ^= 1; break;
            default: throw new ArgumentOutOfRangeException(nameof(damage));
        }
        EvidenceSet set = Sample.Set();
        Assert.Equal(expected, Sample.RefusalOf(Sample.Appraise(set with { Primary = set.Primary with { Report = report } })));
    }

    [Fact]
    public void A_key_of_another_curve_or_form_is_refused()
    {
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.Null(SimulationLayout.ImportHostKey(p384.ExportSubjectPublicKeyInfo()));
        Assert.Null(SimulationLayout.ImportHostKey([.. Sample.PeerKey, 0]));
        Assert.Null(SimulationLayout.ImportHostKey([]));
        byte[] offCurve = [.. Sample.PeerKey];
        offCurve[^1] ^= 1;
        Assert.Null(SimulationLayout.ImportHostKey(offCurve));
        using ECDsa? good = SimulationLayout.ImportHostKey(Sample.PeerKey);
        Assert.NotNull(good);
    }

    [Fact]
    public void Mutations_give_a_refusal_or_one_canonical_report()
    {
        foreach (byte[] bytes in Mutations.Of(Report(), 5_000, seed: 2))
            SimulationLayout.Fuzz(bytes);
    }

    [Fact]
    public void What_a_report_does_not_hold_is_the_callers_mistake()
    {
        Assert.Throws<ArgumentException>(() => SimulationReport.Encode(Sample.HostKey, new byte[31], new byte[64], "x"));
        Assert.Throws<ArgumentException>(() => SimulationReport.Encode(Sample.HostKey, new byte[32], new byte[63], "x"));
        Assert.Throws<ArgumentException>(() => SimulationReport.Encode(Sample.HostKey, new byte[32], new byte[64], "a\nb"));
        Assert.Throws<ArgumentException>(() => SimulationReport.Encode(Sample.HostKey, new byte[32], new byte[64], new string('x', 4097)));
    }

    private static byte[] Report() => Sample.Set().Primary.Report.ToArray();

    private const string FrozenReport = "Q0xPSVNURVIgU0lNVUxBVEVEIEVWSURFTkNFAQBbAAAAMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnD45BOeobwx/KLWPFVsRZft9+rLHId20ufEXhVdN4UyY7a4LHI/6tYAiKianx4OFJVwui22ADX2EWYYNIyBDSlD9ojvwpRFdT4k9wQ0SLBCkcF9HaI9WIOgGEcCS1AU+paPZYtpvRlsDmJ+7bn27vpDXAhr6jfeJY4h2c1Mwzus3fS/Jp0q14eWRPoBwlLMWw+VNX96fAKoGXt9P0i30AQ0AAAAvYXBwL2Nsb2lzdGVyoCFzz+eM1xXs+sfYHNqWmB0wAdaaME+9JJ3CvxucfV+BvAV59s/Z+Z6uK03dKV9dWTu843o5Nr7J9t8JUtUXWw==";
}

using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;

namespace Cloister.Tests.Tpm;

/// <summary>Policies that ask for the key of an endorsed TPM, and the activation that answers.</summary>
public sealed class TpmEnrolmentTests
{
    private static readonly FakeAuthority Authority = new(), Foreign = new();
    private static readonly VerificationTime Time = VerificationTime.At(FakeEndorsement.Now);

    private readonly FakeTpm _tpm = new();
    private readonly FakeEndorsement _endorsement = new(Authority);

    [Fact]
    public void A_policy_is_written_and_read_back()
    {
        byte[] written = PolicyWriter.Write(Policy(Requirement.OneOf(new string('0', 64), new string('1', 64))));
        var read = Assert.IsType<TpmPolicy>(PolicyReader.Read(written).Value);
        var key = Assert.IsType<TpmKeyPolicy.Endorsed>(read.Key);
        Assert.Equal(Authority.Root, key.Roots.Single().ToArray());
        Assert.Equal(written, PolicyWriter.Write(read));
        Assert.True(TpmEnrolment.IsAskedFor(read));
        Assert.True(TpmEnrolment.IsAskedFor(new AnyOf([Sample.Policy, new AllOf([Sample.Policy, read])])));
        Assert.False(TpmEnrolment.IsAskedFor(new AllOf([Sample.Policy, TpmVerifierTests.Policy()])));
    }

    [Theory]
    [InlineData("\"Certificates\":{\"Any\":true}", "", Refusal.PolicyMemberMissing)]
    [InlineData("\"Any\":true", "\"Any\":false", Refusal.PolicyMalformed)]
    [InlineData("\"Any\":true", "\"AtLeast\":\"00\"", Refusal.RequirementNotApplicable)]
    [InlineData("{\"Any\":true}", "\"00\"", Refusal.PolicyDigestInvalid)]
    [InlineData("[\"ROOT\"]", "\"ROOT\"", Refusal.PolicyMalformed)]
    [InlineData("[\"ROOT\"]", "[]", Refusal.PolicyEmpty)]
    [InlineData("ROOT", "AAAA", Refusal.PolicyCertificateInvalid)]
    [InlineData("ROOT", "no base64", Refusal.PolicyCertificateInvalid)]
    [InlineData("\"ROOT\"", "5", Refusal.PolicyCertificateInvalid)]
    [InlineData("ROOT", "LEAF", Refusal.PolicyCertificateInvalid)]
    [InlineData("\"Roots\":", "\"Roots\":[],\"Roots\":", Refusal.PolicyMemberDuplicate)]
    [InlineData("\"Roots\":", "\"Project\":\"p\",\"Roots\":", Refusal.PolicyMemberUnknown)]
    public void A_bad_policy_is_refused_by_its_number(string what, string with, Refusal expected)
    {
        string root = Convert.ToBase64String(Authority.Root), good = "{\"Endorsed\":{\"Roots\":[\"ROOT\"],\"Certificates\":{\"Any\":true}}}";
        Assert.Contains(what, good, StringComparison.Ordinal);
        string key = good.Replace(what, with, StringComparison.Ordinal).Replace(",}", "}", StringComparison.Ordinal)
            .Replace("ROOT", root, StringComparison.Ordinal).Replace("LEAF", Convert.ToBase64String(_endorsement.Certificate), StringComparison.Ordinal);
        Assert.Equal(expected, Read(key).Refusal);
    }

    [Fact]
    public void Parts_of_one_policy_name_the_same_roots()
    {
        TpmPolicy one = Policy(), other = Policy() with { Key = new TpmKeyPolicy.Endorsed([Foreign.Root], Requirement.Any<string>()) };
        Assert.True(PolicyReader.Read(PolicyWriter.Write(new AnyOf([one, one with { Key = new TpmKeyPolicy.Endorsed([Authority.Root], Requirement.Exactly(new string('0', 64))) }]))).IsAccepted);
        Assert.Equal(Refusal.PolicyRootsDiffer, PolicyReader.Read(PolicyWriter.Write(new AnyOf([one, new AllOf([Sample.Policy, other])]))).Refusal);
        Assert.Equal(Refusal.PolicyRootsDiffer, TpmEnrolment.Begin(new AnyOf([one, other]), _endorsement.With(_tpm, Authority.Intermediate), Time).Refusal);
    }

    [Fact]
    public void A_quote_is_refused_before_the_activation_and_accepted_after_it()
    {
        EvidenceSet evidence = Evidence();
        AttestationResult before = Sample.Registry.Appraise(evidence, Sample.Binding, Policy(), Time);
        Assert.Equal(("ak_binding", Refusal.TpmNotActivated), (before.Refused!.Id, before.Refused.Refusal));
        Assert.Contains("no credential activation", before.Refused.Reason, StringComparison.Ordinal);

        TpmEnrolledKey key = Enrol(Policy(), evidence).Value;
        Assert.Equal(Convert.ToHexStringLower(Name(_tpm)), key.Name);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(_endorsement.Certificate)), key.Certificate);
        Sample.Registry.Appraise(evidence, Sample.Binding, TpmEnrolment.Name(Policy(), key), Time).RequireAccepted();
        Sample.Registry.Appraise(evidence, Sample.Binding, TpmEnrolment.Name(new AnyOf([Sample.Policy, new AllOf([Policy()])]), key), Time).RequireAccepted();
    }

    [Fact]
    public void The_quote_of_another_machine_under_the_same_authority_is_refused()
    {
        TpmEnrolledKey key = Enrol(Policy(), Evidence()).Value;
        AttestationResult other = Sample.Registry.Appraise(Evidence(new FakeTpm(), new FakeEndorsement(Authority)), Sample.Binding, TpmEnrolment.Name(Policy(), key), Time);
        Assert.Equal(("ak_binding", Refusal.TpmKeyUnknown), (other.Refused!.Id, other.Refused.Refusal));
    }

    [Fact]
    public void Only_the_named_machines_certificates_are_accepted()
    {
        string certificate = Convert.ToHexStringLower(SHA256.HashData(_endorsement.Certificate));
        TpmPolicy mine = Policy(Requirement.Exactly(certificate)), others = Policy(Requirement.Exactly(new string('0', 64)));
        Assert.True(Enrol(mine, Evidence()).IsAccepted);
        Assert.Equal(Refusal.TpmEndorsementNotAccepted, Enrol(others, Evidence()).Refusal);

        // One activation serves both parts, and only the one that wants this machine names its key.
        var both = new AnyOf([mine, others]);
        TpmEnrolledKey key = Enrol(both, Evidence()).Value;
        var named = Assert.IsType<AnyOf>(TpmEnrolment.Name(both, key));
        Assert.Equal(new TpmKeyPolicy.Named(Requirement.Exactly(key.Name)), Assert.IsType<TpmPolicy>(named.Policies[0]).Key);
        AttestationResult refused = Sample.Registry.Appraise(Evidence(), Sample.Binding, TpmEnrolment.Name(others, key), Time);
        Assert.Equal(Refusal.TpmEndorsementNotAccepted, refused.Refused!.Refusal);
        Assert.Equal(certificate, refused.Refused.Value);
    }

    [Theory]
    [InlineData("foreign authority", Refusal.ChainUntrusted)]
    [InlineData("no intermediate", Refusal.ChainUntrusted)]
    [InlineData("expired", Refusal.Expired)]
    [InlineData("another TPM's attestation key", Refusal.TpmActivationFailed)]
    [InlineData("another TPM's endorsement key", Refusal.TpmEndorsementKey)]
    [InlineData("unrestricted key", Refusal.TpmKeyAttributes)]
    [InlineData("wrong secret", Refusal.TpmActivationFailed)]
    [InlineData("cut secret", Refusal.TpmActivationFailed)]
    [InlineData("no secret", Refusal.TpmActivationFailed)]
    [InlineData("no certificate", Refusal.TpmEndorsementMissing)]
    [InlineData("no endorsement key", Refusal.TpmEndorsementMissing)]
    [InlineData("no quote", Refusal.TpmEndorsementMissing)]
    [InlineData("garbage", Refusal.EvidenceMagic)]
    public void What_is_no_endorsed_key_is_refused_by_its_number(string what, Refusal expected)
    {
        FakeEndorsement shown = what switch
        {
            "foreign authority" => new FakeEndorsement(Foreign),
            "another TPM's attestation key" => new FakeEndorsement(Authority),
            _ => _endorsement,
        };
        var tpm = what == "unrestricted key" ? new FakeTpm { Attributes = 0x00040472 } : _tpm;
        EvidenceSet evidence = Evidence(tpm, shown, what == "no intermediate" ? [] : [Authority.Intermediate, Foreign.Intermediate]);
        ImmutableArray<Endorsement> hints = evidence.Primary.Endorsements;
        evidence = what switch
        {
            "another TPM's endorsement key" => Replace(TpmEnrolment.EndorsementPublic, new FakeEndorsement(Authority).Public()),
            "no certificate" => Replace(TpmEnrolment.EndorsementCertificate, null),
            "no endorsement key" => Replace(TpmEnrolment.EndorsementPublic, null),
            "no quote" => Sample.Set(),
            _ => evidence,
        };
        VerificationTime time = what == "expired" ? VerificationTime.At(FakeEndorsement.Now.AddYears(2)) : Time;
        Outcome<TpmActivation> begun = TpmEnrolment.Begin(Policy(), what == "garbage" ? [1, 2, 3] : EvidenceCodec.Encode(evidence), time);
        if (!begun.IsAccepted)
        {
            Assert.Equal(expected, begun.Refusal);
            return;
        }
        // The TPM that has the shown endorsement key does not have the attestation key, so that it opens nothing.
        byte[]? secret = what == "another TPM's attestation key" ? shown.Open(begun.Value.Credential, Name(new FakeTpm())) : shown.Open(begun.Value.Credential, Name(_tpm));
        Assert.Equal(what == "another TPM's attestation key", secret is null);
        byte[] given = what switch { "wrong secret" => [.. secret!.Select(one => (byte)~one)], "cut secret" => secret![..31], "no secret" => [], _ => secret ?? new byte[32] };
        Assert.Equal(expected, TpmEnrolment.Complete(begun.Value, given).Refusal);
        Assert.Throws<InvalidOperationException>(() => begun.Value.Enrolled);
        Assert.Throws<InvalidOperationException>(() => TpmEnrolment.Complete(begun.Value, given));

        EvidenceSet Replace(string kind, byte[]? with) => evidence with
        {
            Primary = evidence.Primary with { Endorsements = [.. hints.Where(hint => hint.Kind != kind), .. with is null ? [] : new[] { new Endorsement(kind, with) }] },
        };
    }

    [Fact]
    public void The_authority_that_issues_may_be_named_itself()
    {
        TpmPolicy policy = Policy() with { Key = new TpmKeyPolicy.Endorsed([Authority.Intermediate], Requirement.Any<string>()) };
        Assert.True(Enrol(policy, Evidence(_tpm, _endorsement, [])).IsAccepted);
    }

    [Fact]
    public void A_policy_that_asks_for_nothing_is_left_as_it_is()
    {
        Assert.Same(Sample.Policy, TpmEnrolment.Name(Sample.Policy, new TpmEnrolledKey("00", "00")));
        Assert.Throws<ArgumentException>(() => TpmEnrolment.Begin(Sample.Policy, _endorsement.With(_tpm), Time));
    }

    [Fact]
    public void Mutations_of_evidence_give_an_activation_or_a_refusal()
    {
        foreach (byte[] bytes in Mutations.Of(EvidenceCodec.Encode(Evidence()), 300, seed: 61))
            if (TpmEnrolment.Begin(Policy(), bytes, Time).TryGetValue(out TpmActivation? activation)) activation.Dispose();
    }

    [Fact]
    public void Mutations_of_what_a_peer_shows_give_an_activation_or_a_refusal()
    {
        TpmEndorsement good = _endorsement.With(_tpm, Authority.Intermediate);
        int begun = 0;
        foreach (byte[] bytes in Mutations.Of(good.EndorsementKey.ToArray(), 1_500, seed: 62)) Begin(good with { EndorsementKey = bytes });
        foreach (byte[] bytes in Mutations.Of(good.AttestationKey.ToArray(), 1_500, seed: 63)) Begin(good with { AttestationKey = bytes });
        foreach (byte[] bytes in Mutations.Of(good.Certificate.ToArray(), 500, seed: 64)) Begin(good with { Certificate = bytes });
        foreach (byte[] bytes in Mutations.Of(Authority.Intermediate, 500, seed: 65)) Begin(good with { Intermediates = [bytes] });
        Assert.True(begun > 0);

        void Begin(TpmEndorsement shown)
        {
            if (!TpmEnrolment.Begin(Policy(), shown, Time).TryGetValue(out TpmActivation? activation)) return;
            begun++;
            activation.Dispose();
        }
    }

    internal static TpmPolicy Policy(Requirement<string>? certificates = null) =>
        TpmVerifierTests.Policy() with
        {
            Key = new TpmKeyPolicy.Endorsed([Authority.Root], certificates ?? Requirement.Any<string>()),
            Pcrs = ImmutableSortedDictionary<int, Requirement<string>>.Empty.Add(4, Requirement.Any<string>()),
        };

    private Outcome<TpmEnrolledKey> Enrol(PackagePolicy policy, EvidenceSet evidence)
    {
        Outcome<TpmActivation> begun = TpmEnrolment.Begin(policy, EvidenceCodec.Encode(evidence), Time);
        if (!begun.TryGetValue(out TpmActivation? activation)) return begun.RefuseAs<TpmEnrolledKey>();
        using (activation)
            return TpmEnrolment.Complete(activation, _endorsement.Open(activation.Credential, Name(_tpm)));
    }

    private EvidenceSet Evidence() => Evidence(_tpm, _endorsement, [Authority.Intermediate]);

    private static EvidenceSet Evidence(FakeTpm tpm, FakeEndorsement endorsement, params byte[][] intermediates)
    {
        Evidence quote = tpm.Quote(Sample.Binding.ReportData(Sample.RuntimeData, []).AsSpan(0, 32), null,
            [new Endorsement(TpmEnrolment.EndorsementCertificate, endorsement.Certificate), new Endorsement(TpmEnrolment.EndorsementPublic, endorsement.Public()),
             .. intermediates.Select(one => new Endorsement(TpmVerifier.Intermediate, one))]);
        return new EvidenceSet(quote with { RuntimeData = Sample.RuntimeData }, [], Sample.Binding);
    }

    private static ReadOnlySpan<byte> Name(FakeTpm tpm) => TpmLayout.ParsePublic(tpm.Public()).Value.Name.Span;

    private static Outcome<PackagePolicy> Read(string key) => PolicyReader.Read(Encoding.UTF8.GetBytes(
        $$$"""{"Tpm":{"Key":{{{key}}},"Bank":"sha256","Pcrs":{"4":{"Any":true}},"Boot":{"Any":true},"Clock":{"Any":true},"FirmwareVersion":{"Any":true},"Sha1":false}}"""));
}

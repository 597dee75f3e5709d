using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;
using Cloister.Tests.Corpus;

namespace Cloister.Tests.Dcap;

/// <summary>Hostile bytes give a refusal: nothing is thrown, and nothing larger than the input allows is allocated.</summary>
public sealed class DcapFuzzTests
{
    private const int Count = 2000;

    [Fact]
    public void Parsers_survive_what_is_made()
    {
        FakeIntel tdx = new() { Version = 5 }, sgx = new() { Sgx = true, Version = 3 };
        DcapCollateral collateral = tdx.Collateral();
        Mutations.Bounded(tdx.Quote(), QuoteLayout.Fuzz, Count);
        Mutations.Bounded(sgx.Quote(), QuoteLayout.Fuzz, Count);
        Mutations.Bounded(collateral.TcbInfo.ToArray(), TcbInfoReader.Fuzz, Count);
        Mutations.Bounded(sgx.Collateral().TcbInfo.ToArray(), TcbInfoReader.Fuzz, Count);
        Mutations.Bounded(collateral.QeIdentity.ToArray(), QeIdentity.Fuzz, Count);
        Mutations.Bounded(Encoding.ASCII.GetBytes(Version2), TcbInfoReader.Fuzz, Count);
        foreach (byte[] bytes in Mutations.Of(collateral.ToJson(), Count, 3))
            DcapCollateral.Fuzz(bytes); // writes what it read, which takes more than reading
        var signatures = new SignatureChecker();
        Certificate root = CertificateParser.Parse(tdx.Anchors.Items[0].Bytes).Value;
        byte[] chain = QuoteLayout.Parse(tdx.Quote()).Value.CertificationData.ToArray();
        Mutations.Bounded(chain, pem => PckChain.Fuzz(pem, root, signatures), Count / 4);
    }

    [Fact]
    public void The_extension_survives()
    {
        FakeIntel fake = new();
        ReadOnlyMemory<byte> pem = QuoteLayout.Parse(fake.Quote()).Value.CertificationData;
        Certificate leaf = CertificateParser.ParsePem(pem.Span).Value[0];
        Mutations.Bounded(leaf.Encoded.ToArray(), der =>
        {
            if (CertificateParser.Parse(der.ToArray()).TryGetValue(out Certificate? certificate)) _ = PckExtension.Parse(certificate).IsAccepted;
        }, Count);
    }

    [Fact]
    public void A_whole_verification_survives_what_is_made()
    {
        foreach (FakeIntel fake in (FakeIntel[])[new() { Version = 5 }, new() { Sgx = true, Version = 3 }])
        {
            IVerifier verifier = fake.Sgx ? new SgxVerifier() : new TdxVerifier();
            byte[] quote = fake.Quote(), collateral = fake.Collateral().ToJson();
            Anchors anchors = fake.Anchors;
            Mutations.Bounded(quote, bytes => Prove(verifier, fake.Kind, bytes.ToArray(), collateral, anchors, VerificationTime.At(FakeIntel.Now)), Count / 4);
            Mutations.Bounded(collateral, bytes => Prove(verifier, fake.Kind, quote, bytes.ToArray(), anchors, VerificationTime.At(FakeIntel.Now)), Count / 4);
        }
    }

    [SharedDataFact]
    public void A_whole_verification_survives_real_samples()
    {
        foreach (AttestationCase one in CaseCorpus.OfKind("tdx").Concat(CaseCorpus.OfKind("sgx")).Where(one => one.Origin == "real" && one.File("collateral") is not null))
        {
            TeeKind kind = one.Tee == "sgx" ? TeeKind.Sgx : TeeKind.Tdx;
            IVerifier verifier = kind == TeeKind.Sgx ? new SgxVerifier() : new TdxVerifier();
            byte[] quote = one.File("quote")!, collateral = one.File("collateral")!;
            var anchors = new Anchors([new Anchor(kind, "intel-sgx-root", one.File("root")!)]);
            Mutations.Bounded(quote, bytes => Prove(verifier, kind, bytes.ToArray(), collateral, anchors, one.Time), Count / 8);
            Mutations.Bounded(collateral, bytes => Prove(verifier, kind, quote, bytes.ToArray(), anchors, one.Time), Count / 8);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"id\":{\"id\":{\"id\":{\"id\":{\"id\":{\"id\":{\"id\":{\"id\":{\"id\":{\"id\":{\"id\":{\"id\":{\"id\":{\"id\":{\"id\":{\"id\":{\"id\":{\"id\":{}}}}}}}}}}}}}}}}}}}")]
    [InlineData("{\"\\ud800\":1}")]
    [InlineData("{\"id\":\"\\ud800\"}")]
    [InlineData("{\"tcb_info\":\"\\ud800\"}")]
    [InlineData("{\"root_ca_crl\":\"abc\"}")]
    [InlineData("{\"version\":1e400}")]
    [InlineData("{\"version\":99999999999999999999}")]
    public void Odd_json_is_refused(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Assert.False(TcbInfoReader.Parse(bytes).IsAccepted);
        Assert.False(QeIdentity.Parse(bytes).IsAccepted);
        Assert.False(DcapCollateral.Parse(bytes).IsAccepted);
        Assert.False(DcapCollateral.SplitAnswer(bytes, "tcbInfo").IsAccepted);
    }

    [Fact]
    public void An_answer_of_intels_service_is_taken_apart_byte_for_byte()
    {
        string inner = new FakeIntel().TcbInfoText().Replace(":", " : ", StringComparison.Ordinal), signature = new('a', 128);
        (ReadOnlyMemory<byte> text, ReadOnlyMemory<byte> signed) = DcapCollateral.SplitAnswer(Encoding.UTF8.GetBytes($"{{ \"tcbInfo\" : {inner} , \"signature\":\"{signature}\"}}"), "tcbInfo").Value;
        Assert.Equal(inner, Encoding.UTF8.GetString(text.Span));
        Assert.Equal(signature, Convert.ToHexStringLower(signed.Span));
        Assert.False(DcapCollateral.SplitAnswer(Encoding.UTF8.GetBytes($"{{\"tcbInfo\":{inner},\"signature\":\"{signature}\",\"signature\":\"{signature}\"}}"), "tcbInfo").IsAccepted);
    }

    private static void Prove(IVerifier verifier, TeeKind kind, byte[] quote, byte[] collateral, Anchors anchors, VerificationTime time) =>
        _ = verifier.Prove(new Evidence(kind, quote, default, default, []), FakeIntel.ReportData, new Endorsements([new Endorsement(DcapCollateral.EndorsementKind, collateral)]), anchors, time).Claims;

    private static string Version2 => "{\"version\":2,\"issueDate\":\"2019-09-05T07:47:07Z\",\"nextUpdate\":\"2029-09-05T07:47:07Z\",\"fmspc\":\"00707F000000\",\"pceId\":\"0000\",\"tcbType\":0,\"tcbEvaluationDataNumber\":3,\"tcbLevels\":[{\"tcb\":{"
        + string.Join(',', Enumerable.Range(1, 16).Select(i => $"\"sgxtcbcomp{i:00}svn\":{i}")) + ",\"pcesvn\":3},\"tcbDate\":\"2019-09-01T00:00:00Z\",\"tcbStatus\":\"UpToDate\",\"advisoryIDs\":[\"INTEL-SA-00106\"]}]}";
}

using System.Text.Json;
using Cloister.Attestation;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.SevSnp;
using Cloister.Tests.Corpus;

namespace Cloister.Tests.SevSnp;

/// <summary>Every shared case of SEV-SNP comes out as expected, with the expected first failing check.</summary>
public sealed class SnpCorpusTests
{
    [SharedDataFact]
    public void Every_case_comes_out_as_expected()
    {
        var verifier = new SnpVerifier();
        var wrong = new List<string>();
        var cases = CaseCorpus.OfKind("snp");
        foreach (AttestationCase one in cases)
        {
            AttestationResult result = Appraise(one, verifier);
            string got = result.Refused is { } refused ? $"{refused.Id} ({refused.Reason})" : "ok";
            bool anyCheck = one.Note.Contains("any rejecting check", StringComparison.Ordinal);
            if ((result.Refused is null) != one.ExpectedOk || (!one.ExpectedOk && !anyCheck && result.Refused!.Id != one.ExpectedCheck)) wrong.Add($"{one.Id}: expected {one.ExpectedCheck ?? "ok"}, got {got}");
        }
        Assert.True(cases.Length >= 161, $"{cases.Length} cases");
        Assert.True(wrong.Count == 0, $"{cases.Length - wrong.Count} of {cases.Length} as expected\n{string.Join('\n', wrong)}");
    }

    [SharedDataFact]
    public void Reports_say_what_the_cases_state()
    {
        int compared = 0;
        foreach (AttestationCase one in CaseCorpus.OfKind("snp"))
        {
            if (!one.Expect.TryGetProperty("claims", out JsonElement expected)) continue;
            SnpReport report = SnpLayout.Parse(one.File("report")).Value;
            var key = new SnpCertificate(CertificateParser.ParseAny(one.File("vek")).Value);
            Claims claims = SnpClaims.Of(report, key.IssuingProduct, key.ProviderId, false);
            foreach (JsonProperty claim in expected.EnumerateObject())
                Assert.Equal($"{one.Id} {claim.Name} {Expected(claim)}", $"{one.Id} {claim.Name} {Stated(claim.Name, claims)}");
            compared++;
        }
        Assert.True(compared >= 8);
    }

    [SharedDataFact]
    public void Every_check_is_listed_in_the_order_of_the_vocabulary()
    {
        AttestationResult result = Appraise(CaseCorpus.OfKind("snp").Single(one => one.Id == "snp-real-turin-v5"), new SnpVerifier());
        string[] vocabulary = ["format", "product", "signing_key", "chain", "chain.expired", "crl", "crl.expired", "revoked", "chip_id", "tcb.cert_mismatch", "signature", "policy.debug", "policy.migration",
            "policy.smt", "vmpl", "report_data", "measurement", "host_data", "tcb.minimum", "tcb.provisional", "guest_svn", "mitigation", "id_key", "author_key"];
        Assert.Equal(vocabulary, result.Checks.Select(check => check.Id).Where(vocabulary.Contains));
        Assert.All(result.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
    }

    internal static AttestationResult Appraise(AttestationCase one, SnpVerifier verifier) => SnpCase.Appraise(one.File, one.Inputs, one.Policy, one.Time, verifier);

    private static string Expected(JsonProperty claim) => claim.Value.ValueKind == JsonValueKind.Object
        ? $"{new SnpTcb(Part(claim.Value, "fmc"), Part(claim.Value, "bl"), Part(claim.Value, "tee"), Part(claim.Value, "snp"), Part(claim.Value, "ucode"))}"
        : $"{claim.Value}";

    private static byte Part(JsonElement tcb, string name) => tcb.TryGetProperty(name, out JsonElement part) ? part.GetByte() : (byte)0;

    private static string Stated(string name, Claims claims) => name switch
    {
        "product" => claims.Fields[SnpFields.Product],
        "version" => claims.Fields[SnpFields.Version],
        "signing_key" => claims.Fields[SnpFields.SigningKey],
        "reported_tcb" => claims.Fields[SnpFields.ReportedTcb],
        "policy" => claims.Fields[SnpFields.GuestPolicy],
        "debug" => $"{(Convert.ToUInt64(claims.Fields[SnpFields.GuestPolicy], 16) >> 19 & 1) == 1}",
        "vmpl" => claims.Fields[SnpFields.Vmpl],
        "measurement" => claims.Measurement,
        "report_data" => claims.Fields[SnpFields.ReportData],
        "host_data" => claims.Fields[SnpFields.HostData],
        "chip_id" => claims.Fields[SnpFields.ChipId],
        "committed_equals_current" => $"{claims.Fields[SnpFields.CommittedTcb] == claims.Fields[SnpFields.CurrentTcb]}",
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "A claim that the test does not know."),
    };
}

using System.Text.Json.Nodes;
using Cloister.Tests;

namespace Cloister.EndToEnd;

/// <summary>Evidence verified from the command line: the shared cases, a real report by its roles, one that is refused.</summary>
public sealed class AttestTests
{
    private const string At = "2026-06-01T00:00:00Z";

    private static string Cases => TestData.Path("attestation/cases.json");

    private static string Real(string name) => TestData.Path($"attestation/snp/real/{name}");

    private static string[] Genoa => ["--report", Real("snp-real-genoa-v3.bin"), "--vek", Real("snp-real-genoa-v3.vek.der"), "--at", At];

    [SharedDataFact]
    public async Task Every_shared_case_is_as_expected()
    {
        Ended ended = await CloisterCommand.RunAsync("attest", "verify", "--cases", Cases);
        ended.Succeeded();
        int cases = ended.Lines.Count(line => (string?)line["status"] != "unsupported");
        Assert.True(cases >= 413, $"{cases} cases");
        Assert.Equal($"{cases} of {cases} as expected", ended.Output.TrimEnd().Split('\n')[^1]);
        Assert.All(ended.Lines, line => Assert.True(line.ContainsKey("id") && line.ContainsKey("ok") && line.ContainsKey("check")));
        Assert.All(ended.Lines.Where(line => (string?)line["status"] == "unsupported"), line => Assert.Null(line["ok"]));
    }

    [SharedDataFact]
    public async Task Cases_are_filtered_by_kind_and_one_that_is_not_as_expected_fails_the_run()
    {
        Ended snp = await CloisterCommand.RunAsync("attest", "verify", "--cases", Cases, "--kind", "rtmr", "--json");
        snp.Succeeded();
        Assert.Equal("2 of 2 as expected", (string)snp.Lines[^1]["message"]!);
        Assert.Equal(3, snp.Lines.Count);

        using var folder = new TemporaryFolder();
        JsonObject one = Case("snp-real-genoa-v3");
        one["expect"]!["ok"] = false;
        one["expect"]!["check"] = "signature";
        await File.WriteAllTextAsync(folder["cases.json"], new JsonObject { ["cases"] = new JsonArray(one) }.ToJsonString());
        Ended wrong = await CloisterCommand.RunAsync("attest", "verify", "--cases", folder["cases.json"]);
        Assert.Equal(3, wrong.Code);
        Assert.EndsWith("0 of 1 as expected\n", wrong.Output, StringComparison.Ordinal);
        Assert.NotNull(wrong.Lines[0]["unexpected"]);
    }

    [SharedDataFact]
    public async Task A_real_report_is_proven_by_its_roles_and_without_a_policy_nothing_is_judged()
    {
        Ended ended = await CloisterCommand.RunAsync(["attest", "verify", .. Genoa]);
        ended.Succeeded();
        Assert.Contains("ok      signature", ended.Output, StringComparison.Ordinal);
        Assert.Contains("NOT shown to be fresh", ended.Output, StringComparison.Ordinal);
        Assert.Contains("Nothing was judged", ended.Output, StringComparison.Ordinal);

        Ended fresh = await CloisterCommand.RunAsync(["attest", "verify", .. Genoa, "--report-data", new string('0', 128), "--json"]);
        fresh.Succeeded();
        Assert.True((bool)fresh.Lines[0]["accepted"]! && (bool)fresh.Lines[0]["fresh"]! && !(bool)fresh.Lines[0]["judged"]!);
    }

    [SharedDataFact]
    public async Task What_is_refused_says_at_which_check_and_exits_by_cause()
    {
        Ended stale = await CloisterCommand.RunAsync(["attest", "verify", .. Genoa, "--nonce", "0011"]);
        Assert.Equal(3, stale.Code);
        Assert.Contains("refused: report_data:", stale.Output, StringComparison.Ordinal);

        using var folder = new TemporaryFolder();
        byte[] report = await File.ReadAllBytesAsync(Real("snp-real-genoa-v3.bin"));
        report[0x95] ^= 1;
        await File.WriteAllBytesAsync(folder["changed.bin"], report);
        await File.WriteAllBytesAsync(folder["short.bin"], report[..100]);
        string[] rest = ["--vek", Real("snp-real-genoa-v3.vek.der"), "--at", At, "--json"];
        Ended changed = await CloisterCommand.RunAsync(["attest", "verify", "--report", folder["changed.bin"], .. rest]);
        Assert.Equal((3, "signature"), (changed.Code, (string)changed.Lines[0]["refused"]!["check"]!));
        Assert.Equal(4, (await CloisterCommand.RunAsync(["attest", "verify", "--report", folder["short.bin"], .. rest])).Code);
        Assert.Equal(4, (await CloisterCommand.RunAsync(["attest", "verify", "--report", folder["absent.bin"], .. rest])).Code);
        Assert.Equal(2, (await CloisterCommand.RunAsync("attest", "verify")).Code);
    }

    [SharedDataFact]
    public async Task A_bundle_is_verified_for_its_own_time_and_nonce_or_others()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["case.json"], Case("tpm-swtpm-ecc-ecdsa-sha256").ToJsonString());
        (await CloisterCommand.RunAsync("attest", "verify", "--bundle", folder["case.json"])).Succeeded();
        Ended replayed = await CloisterCommand.RunAsync("attest", "verify", "--bundle", folder["case.json"], "--nonce", "00112233445566778899aabbccddeeff", "--json");
        Assert.Equal((3, "nonce"), (replayed.Code, (string)replayed.Lines[0]["refused"]!["check"]!));

        await File.WriteAllTextAsync(folder["case.json"], Case("tdx-real-v4-uptodate").ToJsonString());
        (await CloisterCommand.RunAsync("attest", "verify", "--bundle", folder["case.json"])).Succeeded();
        Assert.Equal(3, (await CloisterCommand.RunAsync("attest", "verify", "--bundle", folder["case.json"], "--at", "2035-01-01")).Code);
    }

    [SharedDataFact]
    public async Task Quotes_of_Intel_and_of_a_TPM_are_proven_by_their_roles()
    {
        string tdx = TestData.Path("attestation/tdx/real/tdx-real-v4-uptodate");
        (await CloisterCommand.RunAsync("attest", "verify", "--quote", tdx + ".quote", "--collateral", tdx + ".collateral.json", "--at", "2025-07-10")).Succeeded();
        Ended bare = await CloisterCommand.RunAsync("attest", "verify", "--quote", tdx + ".quote", "--at", "2025-07-10");
        Assert.Equal(4, bare.Code);
        Assert.Contains("collateral", bare.Output, StringComparison.Ordinal);
        (await CloisterCommand.RunAsync("attest", "verify", "--quote", tdx + ".quote", "--at", "2025-07-10", "--signature-only")).Succeeded();

        string sgx = TestData.Path("attestation/sgx/real/sgx-real-v3");
        (await CloisterCommand.RunAsync("attest", "verify", "--quote", sgx + ".quote", "--collateral", sgx + ".collateral.json", "--at", "2025-07-10")).Succeeded();

        string tpm = TestData.Path("attestation/tpm/swtpm/ecc-ecdsa-sha256");
        string[] quote = ["attest", "verify", "--quote", tpm + ".msg", "--signature", tpm + ".sig", "--ak", tpm + ".pub", "--pcrs", tpm + ".pcrs.json", "--nonce"];
        (await CloisterCommand.RunAsync([.. quote, "7b8f0fb59faf4761894c81767411a2c1e080edf31b5a63512f05afa1547ea317"])).Succeeded();
        Assert.Equal(3, (await CloisterCommand.RunAsync([.. quote, "00"])).Code);
    }

    [SharedDataTheory]
    [InlineData("snp/real/snp-real-turin-v5.bin", "SEV-SNP report", "guestPolicy", "0x3001f")]
    [InlineData("tdx/real/tdx-real-v4-uptodate.quote", "TDX quote", "fmspc", "b0c06f000000")]
    [InlineData("tdx/real/tdx-real-v4-uptodate.collateral.json", "Intel collateral", "tcbInfo.nextUpdate", "2025-07-19T10:16:03Z")]
    [InlineData("sgx/real/sgx-real-v3.quote", "SGX quote", "mrSigner", "815f42f11cf64430c30bab7816ba596a1da0130c3b028b673133a66cf9a3e0e6")]
    [InlineData("tpm/swtpm/ecc-ecdsa-sha256.msg", "TPM quote", "clock.resetCount", "1")]
    [InlineData("tpm/swtpm/ecc-ecdsa-sha256.pub", "TPM key", "type", "Ecc")]
    [InlineData("tpm/real/windows-gcp.eventlog", "TCG event log", "pcr.sha1.4", "0ca4b4a4784bf4eed9c3556aba1dac5585a5951a")]
    [InlineData("snp/real/snp-real-genoa-v3.vek.der", "certificate", "issuer", "SEV-Genoa")]
    public async Task Evidence_is_recognised_and_shown(string file, string kind, string field, string value)
    {
        Ended ended = await CloisterCommand.RunAsync("attest", "inspect", TestData.Path("attestation/" + file), "--json");
        ended.Succeeded();
        Assert.Equal((kind, value), ((string)ended.Lines[0]["kind"]!, (string)ended.Lines[0]["fields"]![field]!));
        Ended text = await CloisterCommand.RunAsync("attest", "inspect", TestData.Path("attestation/" + file));
        Assert.StartsWith(kind + ", unproven", text.Output, StringComparison.Ordinal);
        Assert.Contains(value, text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_evidence_is_exit_code_4()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder["empty"], []);
        await File.WriteAllBytesAsync(folder["text"], "no evidence at all"u8.ToArray());
        Assert.Equal(4, (await CloisterCommand.RunAsync("attest", "inspect", folder["empty"])).Code);
        Assert.Equal(4, (await CloisterCommand.RunAsync("attest", "inspect", folder["text"])).Code);
    }

    [SharedDataFact]
    public async Task A_policy_from_a_sample_accepts_it_and_refuses_others_and_the_explanation_says_why()
    {
        using var folder = new TemporaryFolder();
        string policy = folder["policy.json"];
        (await CloisterCommand.RunAsync(["attest", "policy", "from-evidence", .. Genoa, "--out", policy])).Succeeded();
        Ended accepted = await CloisterCommand.RunAsync(["attest", "verify", .. Genoa, "--policy", policy]);
        accepted.Succeeded();
        Assert.Contains("accepted: SevSnp evidence, genuine, as the policy asks", accepted.Output, StringComparison.Ordinal);
        (await CloisterCommand.RunAsync(["attest", "explain", .. Genoa, "--policy", policy])).Succeeded();

        string[] turin = ["--report", Real("snp-real-turin-v5.bin"), "--vek", Real("snp-real-turin-v5.vek.der"), "--at", At];
        Ended other = await CloisterCommand.RunAsync(["attest", "verify", .. turin, "--policy", policy, "--json"]);
        Assert.Equal((3, "measurement"), (other.Code, (string)other.Lines[0]["refused"]!["check"]!));
        Ended why = await CloisterCommand.RunAsync(["attest", "explain", .. turin, "--policy", policy]);
        Assert.Equal(3, why.Code);
        Assert.Contains("on a Turin processor", why.Output, StringComparison.Ordinal);
        Assert.Contains("the policy refuses it", why.Output, StringComparison.Ordinal);
        Assert.Contains("Check measurement", why.Output, StringComparison.Ordinal);

        Ended unproven = await CloisterCommand.RunAsync("attest", "explain", "--report", Real("snp-real-turin-v5.bin"), "--vek", Real("snp-real-genoa-v3.vek.der"), "--at", At);
        Assert.Equal(3, unproven.Code);
        Assert.Contains("NOT PROVEN", unproven.Output, StringComparison.Ordinal);
    }

    [SharedDataFact]
    public async Task Every_kind_gives_a_policy_that_accepts_its_sample()
    {
        using var folder = new TemporaryFolder();
        string tdx = TestData.Path("attestation/tdx/real/tdx-real-v4-uptodate"), sgx = TestData.Path("attestation/sgx/real/sgx-real-v3"), tpm = TestData.Path("attestation/tpm/swtpm/ecc-ecdsa-sha256");
        string[][] samples =
        [
            ["--quote", tdx + ".quote", "--collateral", tdx + ".collateral.json", "--at", "2025-07-10"],
            ["--quote", sgx + ".quote", "--collateral", sgx + ".collateral.json", "--at", "2025-07-10"],
            ["--quote", tpm + ".msg", "--signature", tpm + ".sig", "--ak", tpm + ".pub", "--pcrs", tpm + ".pcrs.json"],
        ];
        for (int i = 0; i < samples.Length; i++)
        {
            (await CloisterCommand.RunAsync(["attest", "policy", "from-evidence", .. samples[i], "--out", folder[$"{i}.json"]])).Succeeded();
            Ended accepted = await CloisterCommand.RunAsync(["attest", "verify", .. samples[i], "--policy", folder[$"{i}.json"], "--json"]);
            accepted.Succeeded();
            Assert.True((bool)accepted.Lines[0]["judged"]! && !(bool)accepted.Lines[0]["fresh"]!);
            (await CloisterCommand.RunAsync(["attest", "explain", .. samples[i], "--policy", folder[$"{i}.json"]])).Succeeded();
        }
        Assert.Equal(3, (await CloisterCommand.RunAsync(["attest", "verify", .. samples[1], "--policy", folder["0.json"]])).Code);
    }

    [SharedDataFact]
    public async Task A_sample_under_debug_or_one_that_is_not_genuine_makes_no_policy()
    {
        string debug = Real("snp-real-milan-v2-debug-permitted");
        Ended refused = await CloisterCommand.RunAsync("attest", "policy", "from-evidence", "--report", debug + ".bin", "--vek", debug + ".vek.der", "--at", At);
        Assert.Equal(3, refused.Code);
        Assert.Contains("debug", refused.Error, StringComparison.Ordinal);
        Ended foreign = await CloisterCommand.RunAsync("attest", "policy", "from-evidence", "--report", Real("snp-real-genoa-v3.bin"), "--vek", debug + ".vek.der", "--at", At);
        Assert.Equal((3, ""), (foreign.Code, foreign.Output));
    }

    /// <summary>A shared case with absolute paths.</summary>
    [SharedDataFact]
    public async Task A_judged_result_is_issued_as_a_signed_attestation_result()
    {
        using var folder = new TemporaryFolder();
        (await CloisterCommand.RunAsync("user", "keygen", "--name", "verifier", "--out", folder.Path)).Succeeded();
        (await CloisterCommand.RunAsync(["attest", "policy", "from-evidence", .. Genoa, "--out", folder["policy.json"]])).Succeeded();
        (await CloisterCommand.RunAsync(["attest", "verify", .. Genoa, "--policy", folder["policy.json"], "--ear", folder["result.jwt"], "--ear-key", folder["verifier.key"]])).Succeeded();
        string[] parts = (await File.ReadAllTextAsync(folder["result.jwt"])).Split('.');
        using var certificate = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificateFromFile(folder["verifier.crt"]);
        using System.Security.Cryptography.ECDsa key = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPublicKey(certificate)!;
        Assert.True(key.VerifyData(System.Text.Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), System.Buffers.Text.Base64Url.DecodeFromChars(parts[2]), System.Security.Cryptography.HashAlgorithmName.SHA256));
        Assert.Contains("eat_profile", System.Text.Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1])), StringComparison.Ordinal);

        Ended unjudged = await CloisterCommand.RunAsync(["attest", "verify", .. Genoa, "--ear", folder["unjudged.json"]]);
        Assert.Equal(2, unjudged.Code);
        Assert.False(File.Exists(folder["unjudged.json"]));
    }

    private static JsonObject Case(string id)
    {
        JsonObject one = (JsonObject)JsonNode.Parse(File.ReadAllBytes(Cases))!["cases"]!.AsArray().Single(node => (string)node!["id"]! == id)!.DeepClone();
        JsonObject files = (JsonObject)one["files"]!;
        foreach ((string role, JsonNode? path) in files.ToArray())
            files[role] = TestData.Path($"attestation/{(string)path!}");
        return one;
    }
}

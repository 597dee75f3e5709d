using System.Buffers.Binary;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;

namespace Cloister.Tests.Corpus;

/// <summary>Every shared case of TDX and SGX comes out as expected: verdict, first failing check, status, advisories, claims.</summary>
public sealed class DcapCorpusTests
{
    private static readonly string[] Free = ["-chain-reordered", "-chain-without-root"];

    [SharedDataFact]
    public void Every_tdx_case_is_as_expected() => All("tdx", TdxCase.Run);

    [SharedDataFact]
    public void Every_sgx_case_is_as_expected() => All("sgx", SgxCase.Run);

    [SharedDataFact]
    public void Every_rtmr_case_is_as_expected()
    {
        AttestationCase[] cases = [.. CaseCorpus.OfKind("rtmr")];
        Assert.NotEmpty(cases);
        Assert.All(cases, one =>
        {
            Check? failed = RtmrCase.Run(one).FirstOrDefault(check => check.Verdict == Verdict.Failed);
            Assert.Equal((one.Id, one.ExpectedOk, one.ExpectedCheck), (one.Id, failed is null, failed?.Id));
        });
    }

    private static void All(string tee, Func<AttestationCase, DcapMemory, CaseOutcome> run)
    {
        var memory = new DcapMemory(); // shared: what one case leaves behind may not change another
        AttestationCase[] cases = [.. CaseCorpus.OfKind(tee)];
        Assert.NotEmpty(cases);
        List<string> wrong = [];
        for (int round = 0; round < 2; round++)
            foreach (AttestationCase one in cases)
                if (Difference(one, run(one, memory)) is { } difference) wrong.Add($"{one.Id}: {difference}");
        Assert.True(wrong.Count == 0, $"{2 * cases.Length - wrong.Count} of {2 * cases.Length} as expected\n{string.Join('\n', wrong)}");
    }

    private static string? Difference(AttestationCase one, CaseOutcome verdict)
    {
        string found = verdict.Ok ? "accepted" : $"refused at {verdict.Failed?.Id} ({verdict.Failed?.Refusal}: {verdict.Failed?.Reason})";
        bool free = Free.Any(one.Id.EndsWith);
        if (!free && verdict.Ok != one.ExpectedOk) return found;
        if (!one.ExpectedOk && one.ExpectedCheck is { } check && verdict.Failed?.Id != check) return $"{found}, not at {check}";
        if (one.Expect.TryGetProperty("status", out JsonElement status) && verdict.Field(DcapFields.TcbStatus) != status.GetString()) return $"status {verdict.Field(DcapFields.TcbStatus)}, not {status}";
        if (one.Expect.TryGetProperty("advisories", out JsonElement advisories) && verdict.Field(DcapFields.Advisories) != string.Join(',', advisories.EnumerateArray().Select(item => item.GetString()))) return $"advisories {verdict.Field(DcapFields.Advisories)}, not {advisories}";
        if (!one.Expect.TryGetProperty("claims", out JsonElement claims)) return null;
        foreach (JsonProperty claim in claims.EnumerateObject())
            if (Claim(verdict, claim.Name) is var value && value != claim.Value.ToString()) return $"claim {claim.Name} is {value}, not {claim.Value}";
        return null;
    }

    private static string? Claim(CaseOutcome verdict, string name) => name switch
    {
        "tee_tcb_svn" => verdict.Field(TdxFields.TeeTcbSvn),
        "tee_tcb_svn2" => verdict.Field(TdxFields.TeeTcbSvn2),
        "mrseam" => verdict.Field(TdxFields.MrSeam),
        "mrsignerseam" => verdict.Field(TdxFields.MrSignerSeam),
        "seamattr" => Bytes(verdict.Field(TdxFields.SeamAttributes)),
        "tdattr" => Bytes(verdict.Field(TdxFields.Attributes)),
        "xfam" => Bytes(verdict.Field(TdxFields.Xfam)),
        "mrtd" => verdict.Field(TdxFields.MrTd),
        "mrconfigid" => verdict.Field(TdxFields.MrConfigId),
        "mrowner" => verdict.Field(TdxFields.MrOwner),
        "mrownerconfig" => verdict.Field(TdxFields.MrOwnerConfig),
        "mrservicetd" => verdict.Field(TdxFields.MrServiceTd),
        "rtmr0" or "rtmr1" or "rtmr2" or "rtmr3" => verdict.Field(name),
        "reportdata" or "rd" => verdict.Field(DcapFields.ReportData),
        "fmspc" => verdict.Field(DcapFields.Fmspc),
        "cpusvn" => verdict.Field(SgxFields.CpuSvn),
        "misc" => $"{Convert.ToUInt32(verdict.Field(SgxFields.MiscSelect), 16)}",
        "attr" => Bytes(verdict.Field(SgxFields.Flags)) + Bytes(verdict.Field(SgxFields.Xfrm)),
        "mrenclave" => verdict.Field(SgxFields.MrEnclave),
        "mrsigner" => verdict.Field(SgxFields.MrSigner),
        "prodid" => verdict.Field(SgxFields.ProductId),
        "isvsvn" => verdict.Field(SgxFields.Svn),
        _ => $"no claim {name}",
    };

    /// <summary>A number of 64 bits in the order of its bytes, as cases write it.</summary>
    private static string? Bytes(string? number)
    {
        if (number is null) return null;
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Convert.ToUInt64(number, 16));
        return Convert.ToHexStringLower(bytes);
    }
}

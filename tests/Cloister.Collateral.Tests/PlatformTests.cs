using Cloister.Attestation;
using Cloister.Attestation.SevSnp;
using Cloister.Tests;

namespace Cloister.Collateral.Tests;

/// <summary>What evidence says it needs, and where that is asked for.</summary>
public sealed class PlatformTests
{
    private static readonly byte[] Chip = [.. Enumerable.Range(0, 64).Select(i => (byte)i)];

    [Fact]
    public void Addresses_are_those_of_the_specification()
    {
        var milan = new SnpPlatform(SnpProduct.Milan, SnpSigningKey.Vcek, Chip, new SnpTcb(0, 3, 0, 10, 169));
        Assert.Equal($"vcek/v1/Milan/{Convert.ToHexStringLower(Chip)}?blSPL=3&teeSPL=0&snpSPL=10&ucodeSPL=169", AmdKeyDistribution.PathOf(new SnpKeyRequest(milan)));
        var turin = new SnpPlatform(SnpProduct.Turin, SnpSigningKey.Vcek, Chip.AsSpan(0, 8), new SnpTcb(1, 2, 0, 8, 115));
        Assert.Equal("vcek/v1/Turin/0001020304050607?fmcSPL=1&blSPL=2&teeSPL=0&snpSPL=8&ucodeSPL=115", AmdKeyDistribution.PathOf(new SnpKeyRequest(turin)));
        Assert.Equal("vlek/v1/Genoa/cert_chain", AmdKeyDistribution.PathOf(new SnpAuthoritiesRequest(SnpProduct.Genoa, SnpSigningKey.Vlek)));
        Assert.Equal("vcek/v1/Milan/crl", AmdKeyDistribution.PathOf(new SnpRevocationListRequest(SnpProduct.Milan, SnpSigningKey.Vcek)));
        Assert.Null(AmdKeyDistribution.PathOf(Inputs.DcapOf("b0c06f000000")));
    }

    [Fact]
    public void Names_in_a_folder_are_frozen()
    {
        var turin = new SnpPlatform(SnpProduct.Turin, SnpSigningKey.Vcek, Chip.AsSpan(0, 8), new SnpTcb(1, 2, 0, 8, 115));
        var vlek = new SnpPlatform(SnpProduct.Milan, SnpSigningKey.Vlek, [], new SnpTcb(0, 4, 0, 22, 213));
        CollateralRequest[] requests =
        [
            new SnpKeyRequest(turin),
            new SnpKeyRequest(vlek),
            new SnpAuthoritiesRequest(SnpProduct.Genoa, SnpSigningKey.Vcek),
            new SnpRevocationListRequest(SnpProduct.Milan, SnpSigningKey.Vlek),
            Inputs.DcapOf("b0c06f000000"),
            Inputs.DcapOf("00a067110000", TeeKind.Sgx, PckAuthority.Processor),
        ];
        string[] names =
        [
            "snp/turin/vcek/0001020304050607/fmc1-bl2-tee0-snp8-ucode115.der",
            "snp/milan/vlek/bl4-tee0-snp22-ucode213.der",
            "snp/genoa/vcek/cert_chain.pem",
            "snp/milan/vlek/crl.der",
            "dcap/tdx/b0c06f000000-platform.json",
            "dcap/sgx/00a067110000-processor.json",
        ];
        Assert.Equal(names, requests.Select(request => request.Name));
        string document = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "docs", "formats", "collateral-folder.md"));
        Assert.All(names, name => Assert.Contains(name, document, StringComparison.Ordinal));
    }

    [Fact]
    public void Mistakes_of_a_caller_throw()
    {
        Assert.Throws<ArgumentException>(() => new SnpPlatform(SnpProduct.Turin, SnpSigningKey.Vcek, Chip, default));
        Assert.Throws<ArgumentException>(() => new SnpPlatform(SnpProduct.Milan, SnpSigningKey.Vlek, Chip, default));
        Assert.Throws<ArgumentException>(() => new SnpPlatform(SnpProduct.Milan, SnpSigningKey.Vcek, Chip, new SnpTcb(1, 0, 0, 0, 0)));
        Assert.Throws<ArgumentException>(() => new SnpAuthoritiesRequest(SnpProduct.None, SnpSigningKey.Vcek));
        Assert.Throws<ArgumentException>(() => new SnpRevocationListRequest(SnpProduct.Milan, SnpSigningKey.None));
        Assert.Throws<ArgumentException>(() => new DcapPlatform(TeeKind.Tpm, new byte[6], PckAuthority.Platform));
        Assert.Throws<ArgumentException>(() => new DcapPlatform(TeeKind.Tdx, new byte[5], PckAuthority.Platform));
        Assert.Throws<ArgumentException>(() => new DcapPlatform(TeeKind.Tdx, new byte[6], 0));
    }

    [SharedDataTheory]
    [InlineData("snp/real/snp-real-milan-v2-debug.bin", SnpProduct.Milan, SnpProduct.Milan, SnpSigningKey.Vcek)]
    [InlineData("snp/real/snp-real-genoa-v3.bin", SnpProduct.None, SnpProduct.Genoa, SnpSigningKey.Vcek)]
    [InlineData("snp/real/snp-real-turin-v5.bin", SnpProduct.None, SnpProduct.Turin, SnpSigningKey.Vcek)]
    [InlineData("snp/real/snp-real-milan-v3-vlek-vmpl1.bin", SnpProduct.None, SnpProduct.Milan, SnpSigningKey.Vlek)]
    public void A_real_report_names_its_platform(string file, SnpProduct given, SnpProduct expected, SnpSigningKey key)
    {
        SnpPlatform platform = SnpPlatform.Of(Inputs.Read(file), given).Value;
        Assert.Equal((expected, key), (platform.Product, platform.Key));
        // The certificate that came with the report answers the request, and says the same security versions and chip.
        byte[] vek = Inputs.Read(file.Replace(".bin", ".vek.der", StringComparison.Ordinal));
        Assert.True(new SnpKeyRequest(platform).Check(vek).IsAccepted);
        Assert.Contains(platform.HardwareId, Convert.ToHexStringLower(vek), StringComparison.Ordinal);
    }

    [SharedDataFact]
    public void A_report_that_cannot_be_asked_for_is_refused_with_its_reason()
    {
        byte[] old = Inputs.Read("snp/real/snp-real-milan-v2-debug.bin"), genoa = Inputs.Read("snp/real/snp-real-genoa-v3.bin");
        Assert.Equal("CPUID", SnpPlatform.Of(old).Field);
        Assert.Equal("CPUID", SnpPlatform.Of(genoa, SnpProduct.Milan).Field);
        Assert.Equal(Refusal.ReportTruncated, SnpPlatform.Of(genoa.AsMemory(1)).Refusal);
        byte[] masked = [.. genoa];
        masked.AsSpan(0x1A0, 64).Clear();
        Assert.Equal("CHIP_ID", SnpPlatform.Of(masked).Field);
        byte[] reserved = [.. genoa];
        reserved[0x183] = 1;
        Assert.Equal("REPORTED_TCB", SnpPlatform.Of(reserved).Field);
    }

    [SharedDataTheory]
    [InlineData("tdx/real/tdx-real-v4-uptodate", TeeKind.Tdx)]
    [InlineData("tdx/real/tdx-real-v5-level-not-found", TeeKind.Tdx)]
    [InlineData("sgx/real/sgx-real-v3", TeeKind.Sgx)]
    public void A_real_quote_names_its_platform_and_its_collateral_answers(string name, TeeKind kind)
    {
        DcapPlatform platform = DcapPlatform.Of(Inputs.Read(name + ".quote")).Value;
        Assert.Equal(kind, platform.Kind);
        Outcome<CollateralPeriod> read = new DcapRequest(platform).Check(Inputs.Read(name + ".collateral.json"));
        Assert.True(read.IsAccepted, read.Reason);
        Assert.True(read.Value.From < read.Value.Until);
    }

    [SharedDataFact]
    public void A_quote_without_certificates_is_refused() =>
        Assert.Equal("certificationData", DcapPlatform.Of(Inputs.Read("sgx/synthetic/cert-data-type-1-no-chain.quote")).Field);

    [SharedDataFact]
    public void Collateral_for_another_platform_is_no_answer()
    {
        byte[] json = Inputs.Read("tdx/real/tdx-real-v4-uptodate.collateral.json");
        Assert.Equal("tcb_info.fmspc", Inputs.DcapOf("000000000000").Check(json).Field);
        Assert.Equal("tcb_info.id", Inputs.DcapOf("b0c06f000000", TeeKind.Sgx).Check(json).Field);
        Assert.Equal("pck_crl", Inputs.DcapOf("b0c06f000000", TeeKind.Tdx, PckAuthority.Processor).Check(json).Field);
    }

    [SharedDataFact]
    public void Mutated_evidence_gives_a_platform_or_a_refusal()
    {
        var random = new Random(20261121);
        byte[] report = Inputs.Read("snp/real/snp-real-turin-v5.bin"), quote = Inputs.Read("tdx/real/tdx-real-v4-uptodate.quote");
        for (int i = 0; i < 2000; i++)
        {
            SnpPlatform.Fuzz(Mutated(report, random));
            DcapPlatform.Fuzz(Mutated(quote, random));
        }
    }

    [SharedDataFact]
    public void Mutated_answers_are_read_or_refused()
    {
        var random = new Random(20261122);
        SnpPlatform milan = SnpPlatform.Of(Inputs.Read("snp/synthetic/milan/valid.bin"), SnpProduct.Milan).Value;
        (CollateralRequest Request, byte[] Answer)[] answers =
        [
            (new SnpKeyRequest(milan), Inputs.Read("snp/synthetic/milan/vcek.der")),
            (new SnpAuthoritiesRequest(SnpProduct.Milan, SnpSigningKey.Vcek), Inputs.Read("snp/synthetic/milan/ask.pem")),
            (new SnpRevocationListRequest(SnpProduct.Milan, SnpSigningKey.Vcek), Inputs.Read("snp/synthetic/milan/crl-clean.der")),
            (Inputs.DcapOf("b0c06f000000"), Inputs.Read("tdx/real/tdx-real-v4-uptodate.collateral.json")),
        ];
        foreach ((CollateralRequest request, byte[] answer) in answers)
        {
            Assert.True(request.Check(answer).IsAccepted);
            for (int i = 0; i < 1000; i++)
            {
                Outcome<CollateralPeriod> read = request.Check(Mutated(answer, random));
                Assert.True(read.IsAccepted || read.Refusal != Refusal.NoOutcome && read.Reason.Length > 0);
            }
        }
    }

    private static byte[] Mutated(byte[] input, Random random)
    {
        byte[] copy = random.Next(8) == 0 ? input[..random.Next(input.Length)] : [.. input];
        for (int i = random.Next(1, 6); i > 0 && copy.Length > 0; i--) copy[random.Next(copy.Length)] = (byte)random.Next(256);
        return copy;
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Tdx;
using Cloister.Tests;

namespace Cloister.Collateral.Tests;

/// <summary>Intel's service and a PCCS, replayed on this machine from collateral that Intel published.</summary>
public sealed class IntelProvisioningCertificationTests
{
    private const string Tdx = "tdx/real/tdx-real-v4-uptodate", Sgx = "sgx/real/sgx-real-v3";
    private static readonly DateTimeOffset Now = new(2025, 7, 10, 0, 0, 0, TimeSpan.Zero);

    [SharedDataTheory]
    [InlineData(Tdx)]
    [InlineData(Sgx)]
    public async Task The_bundle_is_what_Intel_signed_byte_for_byte(string name)
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        DcapPlatform platform = DcapPlatform.Of(Inputs.Read(name + ".quote")).Value;
        DcapCollateral original = Inputs.AddIntel(service, platform, name);
        using var intel = new IntelProvisioningCertification(service.Options);

        CollateralItem item = (await CollateralSet.GetAsync(intel, platform)).Items.Single();

        DcapCollateral fetched = DcapCollateral.Parse(item.Bytes).Value;
        Assert.Equal(DcapCollateral.EndorsementKind, item.ToEndorsement().Kind);
        Assert.Equal(original.ToJson(), fetched.ToJson());
        Assert.Equal(original.TcbInfo.ToArray(), fetched.TcbInfo.ToArray());
        Assert.True(item.Period.From < Now && Now < item.Period.Until);
        Assert.True(item.Period.Until <= TcbInfoReader.Parse(original.TcbInfo).Value.NextUpdate);
        Assert.Equal(4, service.Asked.Count);
    }

    [SharedDataFact]
    public async Task What_is_fetched_proves_a_quote()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        byte[] quote = Inputs.Read(Tdx + ".quote");
        DcapPlatform platform = DcapPlatform.Of(quote).Value;
        Inputs.AddIntel(service, platform, Tdx);
        using var intel = new IntelProvisioningCertification(service.Options);
        Endorsements endorsements = (await CollateralSet.GetAsync(intel, platform)).ToEndorsements();
        byte[] reportData = QuoteLayout.Parse(quote).Value.Body.Slice(520, 64).ToArray();
        Proof proof = new TdxVerifier().Prove(new Evidence(TeeKind.Tdx, quote, default, default, []), reportData, endorsements, Anchors.Pinned, VerificationTime.At(Now));
        Assert.All(proof.Checks, check => Assert.True(check.Verdict == Verdict.Passed, $"{check.Id}: {check.Reason}"));
    }

    [SharedDataFact]
    public async Task A_PCCS_of_an_older_kind_is_understood()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        DcapPlatform platform = DcapPlatform.Of(Inputs.Read(Sgx + ".quote")).Value;
        DcapCollateral original = Inputs.AddIntel(service, platform, Sgx, hexadecimal: true, chainHeader: "SGX-TCB-Info-Issuer-Chain");
        using var intel = new IntelProvisioningCertification(service.Options);
        CollateralItem item = await intel.GetAsync(new DcapRequest(platform));
        Assert.Equal(original.ToJson(), DcapCollateral.Parse(item.Bytes).Value.ToJson());
    }

    [SharedDataFact]
    public async Task The_root_list_may_lie_elsewhere()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        DcapPlatform platform = DcapPlatform.Of(Inputs.Read(Tdx + ".quote")).Value;
        DcapCollateral original = Inputs.AddIntel(service, platform, Tdx);
        service.Add("IntelSGXRootCA.der", original.RootCrl.ToArray());
        service.Documents.TryRemove(Inputs.RootCrlPath, out _);
        using var intel = new IntelProvisioningCertification(service.Options, new Uri(service.Address, "IntelSGXRootCA.der"));
        Assert.False((await intel.GetAsync(new DcapRequest(platform))).IsStale);
    }

    [SharedDataFact]
    public async Task Answers_that_are_wrong_are_refused()
    {
        string path = "tdx/certification/v4/tcb?fmspc=B0C06F000000", list = "sgx/certification/v4/pckcrl?ca=platform&encoding=der";
        await ChangedAsync(path, (body, _) => (body, []), CollateralError.Malformed); // without its chain
        await ChangedAsync(path, (body, headers) => (body[..^1], headers), CollateralError.Malformed);
        await ChangedAsync(path, (body, headers) => ([.. body, .. " {}"u8], headers), CollateralError.Malformed);
        await ChangedAsync(path, (body, headers) => (Replaced(body, "B0C06F", "00806F"), headers), CollateralError.Malformed);
        await ChangedAsync(path, (body, headers) => (Replaced(body, "\"id\":\"TDX\"", "\"id\":\"SGX\""), headers), CollateralError.Malformed);
        await ChangedAsync(path, (body, headers) => (Replaced(body, "\"signature\":\"", "\"signature\":\"00"), headers), CollateralError.Malformed);
        await ChangedAsync(path, (body, headers) => (Replaced(body, "tcbInfo", "tcbinfo"), headers), CollateralError.Malformed);
        await ChangedAsync(path, (body, headers) => (NotUnicode(body), headers), CollateralError.Malformed);
        await ChangedAsync(path, (body, headers) => (body, [(headers[0].Name, "-----BEGIN%20CERTIFICATE-----")]), CollateralError.Malformed);
        await ChangedAsync(path, (_, headers) => (new byte[513 * 1024], headers), CollateralError.TooLarge);
        await ChangedAsync(list, (_, headers) => ("no list"u8.ToArray(), headers), CollateralError.Malformed);
        await ChangedAsync(list, (body, headers) => (body[..^1], headers), CollateralError.Malformed);
        await ChangedAsync(Inputs.RootCrlPath, (_, headers) => ("<html>"u8.ToArray(), headers), CollateralError.Malformed);
        await ChangedAsync(Inputs.RootCrlPath, null, CollateralError.NotFound);
        await ChangedAsync(path, null, CollateralError.NotFound);
    }

    [SharedDataFact]
    public async Task What_is_out_of_date_when_it_comes_is_refused()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(new DateTimeOffset(2025, 9, 10, 0, 0, 0, TimeSpan.Zero)));
        DcapPlatform platform = DcapPlatform.Of(Inputs.Read(Tdx + ".quote")).Value;
        Inputs.AddIntel(service, platform, Tdx);
        using var intel = new IntelProvisioningCertification(service.Options);
        Assert.Equal(CollateralError.OutOfDate, (await Assert.ThrowsAsync<CollateralException>(() => intel.GetAsync(new DcapRequest(platform)))).Error);
    }

    [SharedDataFact]
    public async Task Too_many_requests_are_tried_again()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        DcapPlatform platform = DcapPlatform.Of(Inputs.Read(Tdx + ".quote")).Value;
        Inputs.AddIntel(service, platform, Tdx);
        service.Fault(429);
        service.Fault(429, ("Retry-After", "7"));
        using var intel = new IntelProvisioningCertification(service.Options);
        await intel.GetAsync(new DcapRequest(platform));
        Assert.Equal([1, 7, 0, 0, 0], service.Gaps);
    }

    [SharedDataFact]
    public async Task TLS_is_checked_against_the_roots_that_are_given()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        await using TestService service = await TestService.StartAsync(new TestTime(Now), certificate);
        DcapPlatform platform = DcapPlatform.Of(Inputs.Read(Tdx + ".quote")).Value;
        Inputs.AddIntel(service, platform, Tdx);

        using var stranger = new IntelProvisioningCertification(service.Options);
        Assert.Equal(CollateralError.Unreachable, (await Assert.ThrowsAsync<CollateralException>(() => stranger.GetAsync(new DcapRequest(platform)))).Error);
        using var known = new IntelProvisioningCertification(service.Options with { TlsRoots = [certificate] });
        Assert.False((await known.GetAsync(new DcapRequest(platform))).IsStale);
    }

    [Fact]
    public async Task What_Intel_does_not_serve_is_not_asked_for()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        using var intel = new IntelProvisioningCertification(service.Options);
        var request = new SnpRevocationListRequest(Cloister.Attestation.SevSnp.SnpProduct.Milan, Cloister.Attestation.SevSnp.SnpSigningKey.Vcek);
        Assert.Equal(CollateralError.NotServed, (await Assert.ThrowsAsync<CollateralException>(() => intel.GetAsync(request))).Error);
        Assert.Empty(service.Asked);
        Assert.Throws<ArgumentException>(() => new IntelProvisioningCertification(null, new Uri("http://example.org/root.crl")));
    }

    private static async Task ChangedAsync(string path, Func<byte[], (string Name, string Value)[], (byte[], (string, string)[])>? change, CollateralError error)
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        DcapPlatform platform = DcapPlatform.Of(Inputs.Read(Tdx + ".quote")).Value;
        Inputs.AddIntel(service, platform, Tdx);
        Assert.True(service.Documents.TryRemove(path, out var document), path);
        if (change is not null) service.Documents[path] = change(document.Body, document.Headers);
        using var intel = new IntelProvisioningCertification(service.Options);
        CollateralException refused = await Assert.ThrowsAsync<CollateralException>(() => intel.GetAsync(new DcapRequest(platform)));
        Assert.True(error == refused.Error, $"{path}: {refused.Error}: {refused.Message}");
    }

    private static byte[] Replaced(byte[] body, string one, string other)
    {
        string text = Encoding.UTF8.GetString(body);
        Assert.Contains(one, text, StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(text.Replace(one, other, StringComparison.Ordinal));
    }

    private static byte[] NotUnicode(byte[] body)
    {
        int at = body.AsSpan().IndexOf("UpToDate"u8);
        Assert.True(at > 0);
        byte[] copy = [.. body];
        copy[at] = 0xFF;
        return copy;
    }
}

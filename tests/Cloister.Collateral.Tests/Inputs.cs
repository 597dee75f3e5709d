using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Tests;

namespace Cloister.Collateral.Tests;

/// <summary>Inputs that tests share.</summary>
internal static class Inputs
{
    public static byte[] Read(string file) => File.ReadAllBytes(TestData.Path("attestation/" + file));

    public static DcapRequest DcapOf(string fmspc, TeeKind kind = TeeKind.Tdx, PckAuthority authority = PckAuthority.Platform) =>
        new(new DcapPlatform(kind, Convert.FromHexString(fmspc), authority));

    /// <summary>Serves the synthetic certificates of a line as AMD would.</summary>
    public static void AddAmd(TestService service, SnpPlatform platform, string line)
    {
        byte[] chain = [.. Read($"snp/synthetic/{line}/ask.pem"), .. Read($"snp/synthetic/{line}/ark.pem")];
        service.Add(AmdKeyDistribution.PathOf(new SnpKeyRequest(platform))!, Read($"snp/synthetic/{line}/vcek.der"));
        service.Add($"vcek/v1/{platform.Product}/cert_chain", chain);
        service.Add($"vcek/v1/{platform.Product}/crl", Read($"snp/synthetic/{line}/crl-clean.der"));
    }

    public const string RootCrlPath = "sgx/certification/v4/rootcacrl";

    /// <summary>Serves collateral as Intel would, or as an older PCCS.</summary>
    public static DcapCollateral AddIntel(TestService service, DcapPlatform platform, string name, bool hexadecimal = false, string chainHeader = "TCB-Info-Issuer-Chain")
    {
        DcapCollateral collateral = DcapCollateral.Parse(Read(name + ".collateral.json")).Value with { PckCertificateChain = default };
        var request = new DcapRequest(platform);
        service.Add($"{request.Tee}/certification/v4/tcb?fmspc={platform.Fmspc.ToUpperInvariant()}", Answer("tcbInfo", collateral.TcbInfo, collateral.TcbInfoSignature), (chainHeader, Escaped(collateral.TcbInfoIssuerChain)));
        service.Add($"{request.Tee}/certification/v4/qe/identity", Answer("enclaveIdentity", collateral.QeIdentity, collateral.QeIdentitySignature), ("SGX-Enclave-Identity-Issuer-Chain", Escaped(collateral.QeIdentityIssuerChain)));
        service.Add($"sgx/certification/v4/pckcrl?ca={request.Ca}&encoding=der", List(collateral.PckCrl, hexadecimal), ("SGX-PCK-CRL-Issuer-Chain", Escaped(collateral.PckCrlIssuerChain)));
        service.Add(RootCrlPath, List(collateral.RootCrl, hexadecimal));
        return collateral;
    }

    private static byte[] Answer(string member, ReadOnlyMemory<byte> text, ReadOnlyMemory<byte> signature) =>
        [.. Encoding.UTF8.GetBytes($"{{\"{member}\":"), .. text.Span, .. Encoding.UTF8.GetBytes($",\"signature\":\"{Convert.ToHexStringLower(signature.Span)}\"}}")];

    private static string Escaped(ReadOnlyMemory<byte> pem) => Uri.EscapeDataString(Encoding.ASCII.GetString(pem.Span));

    private static byte[] List(ReadOnlyMemory<byte> der, bool hexadecimal) => hexadecimal ? Encoding.ASCII.GetBytes(Convert.ToHexStringLower(der.Span)) : der.ToArray();
}

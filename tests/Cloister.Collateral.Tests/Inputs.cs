using Cloister.Attestation;
using Cloister.Tests;

namespace Cloister.Collateral.Tests;

/// <summary>Inputs that tests share.</summary>
internal static class Inputs
{
    public static byte[] Read(string file) => File.ReadAllBytes(TestData.Path("attestation/" + file));

    public static DcapRequest DcapOf(string fmspc, TeeKind kind = TeeKind.Tdx, PckAuthority authority = PckAuthority.Platform) =>
        new(new DcapPlatform(kind, Convert.FromHexString(fmspc), authority));
}

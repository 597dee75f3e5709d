using Cloister.Attestation.Dcap;

namespace Cloister.Attestation.Sgx;

/// <summary>Names of the fields in the claims of SGX evidence, beside those of <see cref="DcapFields"/>. Bytes are lower-case hexadecimal; bit fields are written as a number of 64 bits.</summary>
public static class SgxFields
{
    /// <summary>The processor's security version, 16 bytes.</summary>
    public const string CpuSvn = "cpuSvn";

    /// <summary>What is saved at an exit, as a number of 32 bits.</summary>
    public const string MiscSelect = "miscSelect";

    /// <summary>The enclave's flags, as a number.</summary>
    public const string Flags = "flags";

    /// <summary>Allowed processor features, as a number.</summary>
    public const string Xfrm = "xfrm";

    /// <summary>Digest of the initial content, 32 bytes; also the claims' measurement.</summary>
    public const string MrEnclave = "mrEnclave";

    /// <summary>Digest of the signer's key, 32 bytes.</summary>
    public const string MrSigner = "mrSigner";

    /// <summary>The signer's number of the product, decimal.</summary>
    public const string ProductId = "productId";

    /// <summary>The enclave's security version, decimal.</summary>
    public const string Svn = "svn";

    /// <summary>Given at launch, 64 bytes.</summary>
    public const string ConfigId = "configId";

    /// <summary>The configuration's security version, decimal.</summary>
    public const string ConfigSvn = "configSvn";

    /// <summary>The product family, 16 bytes.</summary>
    public const string FamilyId = "familyId";

    /// <summary>The product's extended number, 16 bytes.</summary>
    public const string ExtendedProductId = "extendedProductId";

    /// <summary>Writes the fields and returns the measurement.</summary>
    internal static string Write(EnclaveReport report, Action<string, string> add, Action<string, ReadOnlyMemory<byte>> addHex)
    {
        addHex(CpuSvn, report.CpuSvn);
        add(MiscSelect, report.MiscSelect.ToString("x8"));
        add(Flags, report.Flags.ToString("x16"));
        add(Xfrm, report.Xfrm.ToString("x16"));
        string mrEnclave = Convert.ToHexStringLower(report.MrEnclave.Span);
        add(MrEnclave, mrEnclave);
        addHex(MrSigner, report.MrSigner);
        add(ProductId, DcapClaims.Text(report.ProductId));
        add(Svn, DcapClaims.Text(report.Svn));
        addHex(ConfigId, report.ConfigId);
        add(ConfigSvn, DcapClaims.Text(report.ConfigSvn));
        addHex(FamilyId, report.FamilyId);
        addHex(ExtendedProductId, report.ExtendedProductId);
        addHex(DcapFields.ReportData, report.ReportData);
        return mrEnclave;
    }
}

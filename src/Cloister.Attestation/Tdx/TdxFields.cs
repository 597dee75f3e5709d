using Cloister.Attestation.Dcap;

namespace Cloister.Attestation.Tdx;

/// <summary>Names of the fields in the claims of TDX evidence, beside those of <see cref="DcapFields"/>. All are lower-case hexadecimal; bit fields are written as a number of 64 bits.</summary>
public static class TdxFields
{
    /// <summary>The module's versions at launch, 16 bytes.</summary>
    public const string TeeTcbSvn = "teeTcbSvn";

    /// <summary>The module's versions now, 16 bytes; absent before TDX 1.5.</summary>
    public const string TeeTcbSvn2 = "teeTcbSvn2";

    /// <summary>The TDX module's digest.</summary>
    public const string MrSeam = "mrSeam";

    /// <summary>The TDX module's signer.</summary>
    public const string MrSignerSeam = "mrSignerSeam";

    /// <summary>The TDX module's attributes, as a number.</summary>
    public const string SeamAttributes = "seamAttributes";

    /// <summary>The trust domain's attributes, as a number.</summary>
    public const string Attributes = "attributes";

    /// <summary>Allowed processor features, as a number.</summary>
    public const string Xfam = "xfam";

    /// <summary>Digest of the initial content; also the claims' measurement.</summary>
    public const string MrTd = "mrTd";

    /// <summary>Configuration given by the host.</summary>
    public const string MrConfigId = "mrConfigId";

    /// <summary>Owner given by the host.</summary>
    public const string MrOwner = "mrOwner";

    /// <summary>The owner's configuration given by the host.</summary>
    public const string MrOwnerConfig = "mrOwnerConfig";

    /// <summary>Bound service trust domains; absent before TDX 1.5.</summary>
    public const string MrServiceTd = "mrServiceTd";

    private static readonly string[] Rtmrs = ["rtmr0", "rtmr1", "rtmr2", "rtmr3"];

    /// <summary>A measurement register that software extends.</summary>
    /// <param name="index">0 to 3.</param>
    public static string Rtmr(int index) => Rtmrs[index];

    /// <summary>Writes the fields and returns the measurement.</summary>
    internal static string Write(TdReport report, Action<string, string> add, Action<string, ReadOnlyMemory<byte>> addHex)
    {
        addHex(TeeTcbSvn, report.TeeTcbSvn);
        addHex(MrSeam, report.MrSeam);
        addHex(MrSignerSeam, report.MrSignerSeam);
        add(SeamAttributes, report.SeamAttributes.ToString("x16"));
        add(Attributes, report.Attributes.ToString("x16"));
        add(Xfam, report.Xfam.ToString("x16"));
        string mrTd = Convert.ToHexStringLower(report.MrTd.Span);
        add(MrTd, mrTd);
        addHex(MrConfigId, report.MrConfigId);
        addHex(MrOwner, report.MrOwner);
        addHex(MrOwnerConfig, report.MrOwnerConfig);
        for (int i = 0; i < Rtmrs.Length; i++)
            addHex(Rtmrs[i], report.Rtmr(i));
        addHex(DcapFields.ReportData, report.ReportData);
        if (report.Is15)
        {
            addHex(TeeTcbSvn2, report.TeeTcbSvn2);
            addHex(MrServiceTd, report.MrServiceTd);
        }
        return mrTd;
    }
}

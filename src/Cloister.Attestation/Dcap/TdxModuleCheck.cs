using Cloister.Attestation.Certificates;
using Cloister.Attestation.Tdx;

namespace Cloister.Attestation.Dcap;

/// <summary>Checks the TDX module that a trust domain was launched by against TCB info: who signed it, its attributes, its security version.</summary>
internal static class TdxModuleCheck
{
    /// <summary>Checks the module.</summary>
    /// <param name="info">TCB info for TDX.</param>
    /// <param name="report">The trust domain.</param>
    /// <param name="level">The module's level; null where its version has no identity of its own.</param>
    /// <returns>What is wrong, or null.</returns>
    public static Finding? Check(TcbInfo info, TdReport report, out EnclaveTcbLevel? level)
    {
        level = null;
        byte version = report.TeeTcbSvn.Span[1], svn = report.TeeTcbSvn.Span[0];
        TdxModuleIdentity? identity = version == 0 ? info.Module : IdentityOf(info, version);
        if (identity is null) return new Finding(Refusal.TdxModuleUnknown, "teeTcbSvn", $"Intel lists no TDX module of version {version}");
        if (!report.MrSignerSeam.Span.SequenceEqual(identity.MrSigner.Span)) return new Finding(Refusal.TdxModuleMismatch, "mrSignerSeam", "another than Intel signed the TDX module");
        // Attributes outside the mask are not for the host to choose either: Intel's modules in production have none.
        if (report.SeamAttributes != (identity.Attributes & identity.AttributesMask)) return new Finding(Refusal.TdxModuleMismatch, "seamAttributes", $"0x{report.SeamAttributes:x16} are not a production module's attributes");
        if (version == 0) return null;
        level = TcbEvaluation.LevelOf(identity.Levels, svn);
        return level is null ? new Finding(Refusal.TdxModuleSvn, "teeTcbSvn", $"security version {svn} of the TDX module is below all that Intel lists for {identity.Id}") : null;
    }

    /// <summary>The identity of modules of a version from 1 on.</summary>
    public static TdxModuleIdentity? IdentityOf(TcbInfo info, byte version)
    {
        string id = $"TDX_{version:X2}";
        foreach (TdxModuleIdentity identity in info.ModuleIdentities)
            if (identity.Id == id) return identity;
        return null;
    }
}

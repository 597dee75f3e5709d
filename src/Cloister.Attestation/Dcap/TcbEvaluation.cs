using System.Collections.Immutable;
using Cloister.Attestation.Tdx;

namespace Cloister.Attestation.Dcap;

/// <summary>
/// Which of Intel's TCB levels a platform, its TDX module and its quoting enclave have, and what follows from all of them
/// (Intel SGX/TDX DCAP, "TCB recovery" and the order of Intel's Quote Verification Library).
/// </summary>
/// <param name="Status">What follows.</param>
/// <param name="HasLevel">Whether the platform reaches any level; if not, the status is <see cref="TcbStatus.NotSupported"/>.</param>
/// <param name="Platform">The platform's own status.</param>
/// <param name="Module">The TDX module's; null where its version has no identity of its own, and for SGX.</param>
/// <param name="QuotingEnclave">The quoting enclave's.</param>
/// <param name="Date">The oldest of the levels' dates: issues known since may be open.</param>
/// <param name="Advisories">What applies, each once: the platform's, then the module's, then the quoting enclave's.</param>
public sealed record TcbEvaluation(TcbStatus Status, bool HasLevel, TcbStatus Platform, TcbStatus? Module, TcbStatus QuotingEnclave, DateTimeOffset? Date, ImmutableArray<string> Advisories)
{
    /// <summary>Evaluates. The collateral must belong to the platform and be proven already.</summary>
    /// <param name="info">For this FMSPC and TEE.</param>
    /// <param name="pck">The platform.</param>
    /// <param name="report">The trust domain; null for SGX.</param>
    /// <param name="module">Its module's level (<see cref="TdxModuleCheck"/>); null where the version has no identity of its own.</param>
    /// <param name="identity">The quoting enclave's identity.</param>
    /// <param name="qeSvn">The quoting enclave's security version.</param>
    public static TcbEvaluation Of(TcbInfo info, PckExtension pck, TdReport? report, EnclaveTcbLevel? module, QeIdentity identity, int qeSvn)
    {
        EnclaveTcbLevel? qe = LevelOf(identity.Levels, qeSvn);
        TcbStatus qeStatus = qe?.Status ?? TcbStatus.NotSupported;
        TcbLevel? sgxLevel = null, level = null;
        foreach (TcbLevel candidate in info.Levels)
        {
            if (!Reaches(pck.TcbComponents.Span, candidate.SgxComponents.Span) || pck.PceSvn < candidate.PceSvn) continue;
            sgxLevel ??= candidate;
            if (report is { } td && !ReachesTdx(td.TeeTcbSvn.Span, candidate.TdxComponents.Span)) continue;
            level = candidate;
            break;
        }
        if (level is null) return new TcbEvaluation(TcbStatus.NotSupported, false, TcbStatus.NotSupported, module?.Status, qeStatus, null, []);

        TcbStatus status = level.Status;
        if (report is { } trustDomain)
        {
            if (module is not null) status = WithPart(status, module.Status);
            if (trustDomain.Is15 && qeStatus is not (TcbStatus.OutOfDate or TcbStatus.Revoked or TcbStatus.NotSupported))
                status = WithRelaunch(status, sgxLevel!.Status, module?.Status, info, trustDomain);
        }
        status = WithPart(status, qeStatus);
        // A TDX level may be lower than the first that the SGX components reach; if that one is revoked, nothing below it heals it.
        if (sgxLevel!.Status == TcbStatus.Revoked) status = TcbStatus.Revoked;
        return new TcbEvaluation(status, true, level.Status, module?.Status, qeStatus, Earliest(level.Date, module?.Date, qe?.Date), Union(level.Advisories, module?.Advisories, qe?.Advisories));
    }

    /// <summary>The first level, newest first, whose security version is reached.</summary>
    internal static EnclaveTcbLevel? LevelOf(ImmutableArray<EnclaveTcbLevel> newestFirst, int svn)
    {
        foreach (EnclaveTcbLevel level in newestFirst)
            if (svn >= level.Svn) return level;
        return null;
    }

    private static bool Reaches(ReadOnlySpan<byte> has, ReadOnlySpan<byte> asked)
    {
        for (int i = 0; i < asked.Length; i++)
            if (has[i] < asked[i]) return false;
        return true;
    }

    /// <summary>From module version 1 on, the module's identity judges the first two components.</summary>
    private static bool ReachesTdx(ReadOnlySpan<byte> teeTcbSvn, ReadOnlySpan<byte> asked)
    {
        int from = teeTcbSvn[1] > 0 ? 2 : 0;
        return Reaches(teeTcbSvn[from..], asked[from..]);
    }

    /// <summary>A part that is out of date, revoked or unknown pulls the whole down.</summary>
    private static TcbStatus WithPart(TcbStatus whole, TcbStatus part) => (whole, part) switch
    {
        (TcbStatus.Revoked, _) or (_, TcbStatus.Revoked) => TcbStatus.Revoked,
        (_, TcbStatus.NotSupported) => TcbStatus.NotSupported,
        (_, TcbStatus.UpToDate) => whole,
        (TcbStatus.UpToDate or TcbStatus.SWHardeningNeeded or TcbStatus.TDRelaunchAdvised, TcbStatus.OutOfDate) => TcbStatus.OutOfDate,
        (TcbStatus.ConfigurationNeeded or TcbStatus.ConfigurationAndSWHardeningNeeded or TcbStatus.TDRelaunchAdvisedConfigurationNeeded, TcbStatus.OutOfDate) => TcbStatus.OutOfDateConfigurationNeeded,
        (_, TcbStatus.OutOfDate) => whole,
        _ => TcbStatus.Unrecognized, // Intel gives enclaves and modules no other status
    };

    /// <summary>
    /// TDX 1.5 states the module that runs now beside the one that ran at launch. If the platform is in order and only the old
    /// module made the trust domain out of date, launching it anew is enough.
    /// </summary>
    private static TcbStatus WithRelaunch(TcbStatus status, TcbStatus sgx, TcbStatus? module, TcbInfo info, TdReport report)
    {
        if (sgx is not (TcbStatus.UpToDate or TcbStatus.SWHardeningNeeded or TcbStatus.ConfigurationNeeded or TcbStatus.ConfigurationAndSWHardeningNeeded)
            || status is not (TcbStatus.OutOfDate or TcbStatus.OutOfDateConfigurationNeeded)
            || module != TcbStatus.OutOfDate) return status;
        ReadOnlySpan<byte> now = report.TeeTcbSvn2.Span, latest = info.Levels[0].TdxComponents.Span;
        bool current;
        if (now[1] == 0)
        {
            current = now[0] >= latest[0];
        }
        else
        {
            TdxModuleIdentity? identity = TdxModuleCheck.IdentityOf(info, now[1]);
            current = identity is { Levels.IsEmpty: false } && now[0] >= identity.Levels[0].Svn;
        }
        if (!current || now[2] < latest[2]) return status;
        bool configure = status == TcbStatus.OutOfDateConfigurationNeeded || sgx is TcbStatus.ConfigurationNeeded or TcbStatus.ConfigurationAndSWHardeningNeeded;
        return configure ? TcbStatus.TDRelaunchAdvisedConfigurationNeeded : TcbStatus.TDRelaunchAdvised;
    }

    private static DateTimeOffset Earliest(DateTimeOffset platform, DateTimeOffset? module, DateTimeOffset? qe)
    {
        DateTimeOffset earliest = platform;
        if (module < earliest) earliest = module.Value;
        if (qe < earliest) earliest = qe.Value;
        return earliest;
    }

    private static ImmutableArray<string> Union(AdvisoryList platform, AdvisoryList? module, AdvisoryList? qe)
    {
        ImmutableArray<string> names = platform.Names();
        foreach (AdvisoryList? more in (ReadOnlySpan<AdvisoryList?>)[module, qe])
            if (more is { Json.IsEmpty: false } list) names = [.. names, .. list.Names()];
        return names.Length < 2 ? names : [.. names.Distinct(StringComparer.Ordinal)];
    }
}

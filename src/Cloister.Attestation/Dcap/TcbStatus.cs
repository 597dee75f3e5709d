namespace Cloister.Attestation.Dcap;

/// <summary>
/// The state of a platform's trusted computing base against what Intel says of it ("Get TCB Info", tcbStatus), after all
/// parts were taken together (<see cref="TcbEvaluation"/>). Names are those of Intel's documents and of policies.
/// </summary>
public enum TcbStatus
{
    /// <summary>No collateral was looked at, by explicit wish: only signatures were checked.</summary>
    NotEvaluated = 0,

    /// <summary>Everything that Intel published is in place.</summary>
    UpToDate = 1,

    /// <summary>The software in the TEE must mitigate something itself.</summary>
    SWHardeningNeeded = 2,

    /// <summary>The platform must be configured otherwise.</summary>
    ConfigurationNeeded = 3,

    /// <summary>Both of the above.</summary>
    ConfigurationAndSWHardeningNeeded = 4,

    /// <summary>Updates are missing.</summary>
    OutOfDate = 5,

    /// <summary>Updates are missing and the platform must be configured otherwise.</summary>
    OutOfDateConfigurationNeeded = 6,

    /// <summary>The TDX module was updated after the trust domain's launch: launch it anew.</summary>
    TDRelaunchAdvised = 7,

    /// <summary>As before, and the platform must be configured otherwise.</summary>
    TDRelaunchAdvisedConfigurationNeeded = 8,

    /// <summary>Keys of this state may be known to others. No policy document can accept it.</summary>
    Revoked = 9,

    /// <summary>Below everything that Intel lists. No policy document can accept it.</summary>
    NotSupported = 10,

    /// <summary>Intel gave a status that this version does not know. No policy document can accept it.</summary>
    Unrecognized = 11,
}

internal static class TcbStatusText
{
    /// <summary>The status that Intel's JSON gives, or <see cref="TcbStatus.Unrecognized"/>.</summary>
    public static TcbStatus Read(ReadOnlySpan<byte> text)
    {
        foreach (TcbStatus status in Enum.GetValues<TcbStatus>())
            if (status is > TcbStatus.NotEvaluated and < TcbStatus.NotSupported and not (TcbStatus.TDRelaunchAdvised or TcbStatus.TDRelaunchAdvisedConfigurationNeeded)
                && System.Text.Ascii.Equals(text, Name(status)))
                return status;
        return TcbStatus.Unrecognized;
    }

    /// <summary>Its written form.</summary>
    public static string Name(TcbStatus status) => status switch
    {
        TcbStatus.NotEvaluated => nameof(TcbStatus.NotEvaluated),
        TcbStatus.UpToDate => nameof(TcbStatus.UpToDate),
        TcbStatus.SWHardeningNeeded => nameof(TcbStatus.SWHardeningNeeded),
        TcbStatus.ConfigurationNeeded => nameof(TcbStatus.ConfigurationNeeded),
        TcbStatus.ConfigurationAndSWHardeningNeeded => nameof(TcbStatus.ConfigurationAndSWHardeningNeeded),
        TcbStatus.OutOfDate => nameof(TcbStatus.OutOfDate),
        TcbStatus.OutOfDateConfigurationNeeded => nameof(TcbStatus.OutOfDateConfigurationNeeded),
        TcbStatus.TDRelaunchAdvised => nameof(TcbStatus.TDRelaunchAdvised),
        TcbStatus.TDRelaunchAdvisedConfigurationNeeded => nameof(TcbStatus.TDRelaunchAdvisedConfigurationNeeded),
        TcbStatus.Revoked => nameof(TcbStatus.Revoked),
        TcbStatus.NotSupported => nameof(TcbStatus.NotSupported),
        _ => nameof(TcbStatus.Unrecognized),
    };

    /// <summary>The status of that name.</summary>
    public static TcbStatus? OfName(string name)
    {
        foreach (TcbStatus status in Enum.GetValues<TcbStatus>())
            if (Name(status) == name) return status;
        return null;
    }
}

using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Recovery;

/// <summary>Where a manifest wants the state: sealed by the platform, or in memory alone; docs/coordinator.md, Seal modes.</summary>
internal static class SealModes
{
    /// <summary>Nothing is written.</summary>
    public const string Disabled = "Disabled";

    /// <summary>Sealed to this very program.</summary>
    public const string UniqueKey = "UniqueKey";

    /// <summary>Refuses an update that wants on the disk what was promised never to be there.</summary>
    /// <exception cref="CoordinatorException">ManifestNotSupported.</exception>
    public static void RequireReachable(ManifestDocument before, ManifestDocument after)
    {
        if (before.Config.SealMode == Disabled && after.Config.SealMode != Disabled)
            throw new CoordinatorException(CoordinatorError.ManifestNotSupported,
                "Config.SealMode: the state is kept in memory alone, and an update does not bring it to the disk; keep Disabled, or restart and set the manifest anew.");
    }
}

using System.Collections.Immutable;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Update;

/// <summary>How far a pending update has come, by the rules of the manifest in force.</summary>
/// <param name="Missing">Acknowledgements that are still needed.</param>
/// <param name="MissingUsers">Who may acknowledge and has not, in ordinal order.</param>
internal sealed record Acknowledgements(int Missing, ImmutableArray<string> MissingUsers)
{
    public static Acknowledgements Of(ManifestDocument inForce, PendingUpdate pending)
    {
        ImmutableArray<string> updaters = [.. inForce.Users.Keys.Where(user => IsUpdater(inForce, user))];
        ImmutableArray<string> missingUsers = [.. updaters.Where(user => !pending.Acknowledged.Contains(user))];
        int needed = inForce.Config.UpdateThreshold == 0 ? updaters.Length : (int)Math.Min(inForce.Config.UpdateThreshold, (ulong)updaters.Length);
        return new Acknowledgements(Math.Max(0, needed - pending.Acknowledged.Length), missingUsers);
    }

    /// <summary>Whether a user may send, acknowledge and cancel manifests.</summary>
    public static bool IsUpdater(ManifestDocument inForce, string user) => inForce.Allows(user, ManifestActions.UpdateManifest, ManifestActions.Manifest, "");
}

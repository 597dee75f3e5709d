using System.Collections.Immutable;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Activation;

/// <summary>What an activation finds out about secrets before it renders anything.</summary>
internal static class NeededSecrets
{
    /// <summary>The marble's secrets, each made when a template first reads it.</summary>
    /// <exception cref="CoordinatorException">AwaitingSecrets, with the names of those that its templates and models name and no user has set, or whose owner has still to acknowledge the manifest.</exception>
    public static MarbleSecrets Collect(CoordinatorSnapshot snapshot, MarblePlan plan, Guid uuid, DateTimeOffset now)
    {
        ManifestDocument manifest = snapshot.Manifest!.Document;
        ImmutableArray<string> unset = [.. plan.Secrets.Where(name => manifest.Secrets[name].UserDefined && snapshot.Granted(name) is null)];
        return unset.IsEmpty ? new MarbleSecrets(snapshot, plan, uuid, previous: false, now) : throw Awaiting(unset);
    }

    /// <summary>The refusal while a user has still to upload or acknowledge.</summary>
    public static CoordinatorException Awaiting(ImmutableArray<string> unset, Exception? cause = null) =>
        new(CoordinatorError.AwaitingSecrets,
            $"Not uploaded yet, or withheld until its owner acknowledges the manifest in force: {string.Join(", ", unset)}. The activation was not used up; try again once the owner has done so.", cause) { AwaitedSecrets = unset };
}

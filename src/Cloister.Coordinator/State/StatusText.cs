using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.State;

/// <summary>Sentences for the states: MarbleRun's, except for recovery, where MarbleRun offers everybody to set a new manifest.</summary>
internal static class StatusText
{
    public static string Of(CoordinatorState state) => state switch
    {
        CoordinatorState.Recovery => "Coordinator is in recovery mode: the saved state does not open with the key at hand. Upload the recovery secrets of its manifest, or put its key back and restart.",
        CoordinatorState.AcceptingManifest => "Coordinator is ready to accept a manifest.",
        CoordinatorState.AcceptingMarbles => "Coordinator is running correctly and ready to accept marbles.",
        _ => "Coordinator is starting.",
    };
}

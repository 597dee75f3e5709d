using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.State;

/// <summary>Sentences for the states: MarbleRun's, except for recovery outside of its simulation, where MarbleRun offers everybody to set a new manifest.</summary>
internal static class StatusText
{
    public static string Of(CoordinatorState state, bool simulation = false) => state switch
    {
        CoordinatorState.Recovery when simulation => "Coordinator is in recovery mode. Either upload a key to unseal the saved state, or set a new manifest. For more information on how to proceed, consult the documentation.",
        CoordinatorState.Recovery => "Coordinator is in recovery mode: the saved state does not open with the key at hand. Upload the recovery secrets of its manifest, or put its key back and restart.",
        CoordinatorState.AcceptingManifest => "Coordinator is ready to accept a manifest.",
        CoordinatorState.AcceptingMarbles => "Coordinator is running correctly and ready to accept marbles.",
        _ => "Coordinator is starting.",
    };
}

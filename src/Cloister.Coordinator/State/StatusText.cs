using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.State;

/// <summary>MarbleRun's sentences for the states.</summary>
internal static class StatusText
{
    public static string Of(CoordinatorState state) => state switch
    {
        CoordinatorState.Recovery => "Coordinator is in recovery mode. Either upload a key to unseal the saved state, or set a new manifest. For more information on how to proceed, consult the documentation.",
        CoordinatorState.AcceptingManifest => "Coordinator is ready to accept a manifest.",
        CoordinatorState.AcceptingMarbles => "Coordinator is running correctly and ready to accept marbles.",
        _ => "Coordinator is starting.",
    };
}

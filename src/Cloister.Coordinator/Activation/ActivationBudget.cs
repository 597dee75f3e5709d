using Cloister.Coordinator.State;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.Activation;

/// <summary>Which activations the state admits, and the count of those that are limited.</summary>
internal sealed class ActivationBudget(LiveState state)
{
    public static CoordinatorSnapshot RequireReady(CoordinatorSnapshot snapshot) =>
        snapshot is { State: CoordinatorState.AcceptingMarbles, Manifest: not null }
            ? snapshot
            : throw new CoordinatorException(CoordinatorError.WrongState, $"The coordinator does not activate workloads now: {StatusText.Of(snapshot.State)}");

    public static MarblePlan FindType(CoordinatorSnapshot snapshot, string type) =>
        snapshot.Manifest!.Plans.TryGetValue(type, out MarblePlan? plan)
            ? plan
            : throw new CoordinatorException(CoordinatorError.UnknownType, $"The manifest defines no workload type '{Shown(type)}'. Types: {string.Join(", ", snapshot.Manifest.Document.Marbles.Keys.Take(20))}.");

    public static void RequireLeft(CoordinatorSnapshot snapshot, MarblePlan plan)
    {
        if (plan.Marble.MaxActivations != 0 && (ulong)snapshot.Activations.GetValueOrDefault(plan.Type) >= plan.Marble.MaxActivations)
            throw new CoordinatorException(CoordinatorError.BudgetSpent, $"All {plan.Marble.MaxActivations} activations of workload type '{plan.Type}' are used.");
    }

    /// <summary>Counts one activation durably, if the type is limited. Two that come together cannot both take the last one.</summary>
    public Task UseAsync(MarblePlan plan, string fingerprint, CancellationToken cancellation) => plan.Marble.MaxActivations == 0
        ? Task.CompletedTask
        : state.ChangeAsync(current =>
        {
            if (RequireReady(current).Manifest!.Fingerprint != fingerprint)
                throw new CoordinatorException(CoordinatorError.StatementRefused, "Another manifest came into force during the activation. Ask for a new challenge.");
            RequireLeft(current, plan);
            return current with { Activations = current.Activations.SetItem(plan.Type, current.Activations.GetValueOrDefault(plan.Type) + 1) };
        }, cancellation);

    private static string Shown(string type) => type.Length <= 64 ? type : type[..64] + "...";
}

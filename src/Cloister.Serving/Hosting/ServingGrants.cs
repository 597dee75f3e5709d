using Cloister.Workload;

namespace Cloister.Serving;

/// <summary>What the manifest lets a server do: an activation brings it, a test makes it by hand.</summary>
/// <param name="Models">The models to open. The host zeroes each key once its model is open or refused.</param>
/// <param name="Callers">Who may use which model.</param>
/// <param name="AnonymousModels">The models that anybody may use.</param>
public sealed record ServingGrants(IReadOnlyList<ModelGrant> Models, IReadOnlyList<CallerGrant> Callers, IReadOnlyList<string> AnonymousModels);

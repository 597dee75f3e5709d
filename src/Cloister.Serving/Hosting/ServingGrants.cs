using Cloister.Sealing;
using Cloister.Workload;

namespace Cloister.Serving;

/// <summary>What the manifest lets a server do: an activation brings it, a test makes it by hand.</summary>
/// <param name="Models">The models to open. The host zeroes each key once its model is open or refused.</param>
/// <param name="Callers">Who may use which model.</param>
/// <param name="AnonymousModels">The models that anybody may use.</param>
public sealed record ServingGrants(IReadOnlyList<ModelGrant> Models, IReadOnlyList<CallerGrant> Callers, IReadOnlyList<string> AnonymousModels)
{
    /// <summary>What an activation grants.</summary>
    public ServingGrants(IReadOnlyList<ModelGrant> models, CallerRights rights)
        : this(models, rights.Callers, rights.AnonymousModels) => Rights = rights;

    /// <summary>Who issues tokens for callers.</summary>
    public IReadOnlyList<TokenIssuerGrant> TokenIssuers { get; init; } = [];

    /// <summary>Limits of all together who are no caller; empty: none.</summary>
    public IReadOnlyList<LimitsGrant> AnonymousLimits { get; init; } = [];

    /// <summary>32 bytes from which keys of encrypted models' envelopes are derived, copied at the start; null for fresh ones, which end with the server.</summary>
    public SecretBytes? EnvelopeMaster { get; init; }

    /// <summary>All that is about callers.</summary>
    public CallerRights Rights
    {
        get => new(Callers, AnonymousModels) { TokenIssuers = TokenIssuers, AnonymousLimits = AnonymousLimits };
        private init => (TokenIssuers, AnonymousLimits) = (value.TokenIssuers, value.AnonymousLimits);
    }
}

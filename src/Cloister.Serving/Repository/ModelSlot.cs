using System.Collections.Immutable;
using Cloister.Serving.Callers;

namespace Cloister.Serving.Repository;

/// <summary>One model that the activation grants: its versions, and where each stands. Read by requests, changed by its keeper.</summary>
internal sealed class ModelSlot(string name)
{
    // Versions that ended stay to be seen, but not for ever.
    private const int EndedKept = 16;

    private readonly Lock _gate = new(); // for changes; readers take the standing as it is
    private volatile Standing _standing = Standing.Opening;

    public string Name { get; } = name;

    /// <summary>Where the model as a whole stands: it answers, is being opened, or was refused.</summary>
    public ModelState State => _standing.State;

    /// <summary>Why no version answers; null if one does or is being opened.</summary>
    public ServingException? Reason => _standing.Served.Count > 0 ? null : _standing.Reason;

    /// <summary>Every version that is known, the oldest first.</summary>
    public ImmutableArray<VersionStatus> Versions => _standing.Versions;

    /// <summary>The newest version that answers, without a hold on it; null if none does.</summary>
    public ServedModel? Newest => _standing.Newest?.Model;

    /// <summary>Names of versions.</summary>
    public ImmutableDictionary<string, long> Labels => _standing.Labels;

    /// <summary>Whether every version that was wanted is or was available, and one still answers.</summary>
    public bool IsReady => _standing is { Settled: true, Served.Count: > 0 };

    /// <summary>Holds the version that is asked for.</summary>
    /// <param name="choice">Which one.</param>
    /// <param name="permit">What the caller was allowed; disposed with the lease, and here if there is none.</param>
    /// <exception cref="ServingException"><see cref="ServingError.ModelUnavailable"/> with the reason, <see cref="ServingError.ModelNotFound"/> or <see cref="ServingError.VersionNotFound"/>.</exception>
    public ModelLease Lease(VersionChoice choice, CallPermit? permit = null)
    {
        try
        {
            while (true)
            {
                // A version that refuses to be held was replaced since: the next standing is without it.
                LoadedVersion version = Find(_standing, choice);
                if (version.TryHold()) return new ModelLease(version, permit);
            }
        }
        catch
        {
            permit?.Dispose();
            throw;
        }
    }

    /// <summary>The version that is asked for, without a hold on it: for what does not predict.</summary>
    /// <exception cref="ServingException">As <see cref="Lease"/>.</exception>
    public ServedModel Require(VersionChoice choice) => Find(_standing, choice).Model;

    /// <summary>The version of this number, if it answers.</summary>
    public LoadedVersion? Loaded(long number) => _standing.Served.GetValueOrDefault(number);

    /// <summary>The numbers of the versions that answer, the oldest first.</summary>
    public IReadOnlyList<long> LoadedNumbers => [.. _standing.Served.Keys];

    /// <summary>Lets a version answer; gives the one of the same number that it replaces, for the keeper to retire.</summary>
    public LoadedVersion? Serve(ServedModel model)
    {
        lock (_gate)
        {
            LoadedVersion? replaced = Loaded(model.Version);
            Standing next = _standing with { Planned = true };
            _standing = next.Serving(next.Served.SetItem(model.Version, new LoadedVersion(model))).With(new VersionStatus(model.Version, ModelVersionState.Available));
            return replaced;
        }
    }

    /// <summary>Says where a version stands that does not answer; one that answers goes on answering.</summary>
    public void Report(long number, ModelVersionState state, ServingException? reason = null) => Change(standing => standing.Served.ContainsKey(number)
        ? standing
        : standing.With(new VersionStatus(number, state, reason)) with { Planned = true });

    /// <summary>Lets no new request have a version; null if it does not answer.</summary>
    public LoadedVersion? Withdraw(long number)
    {
        lock (_gate)
        {
            LoadedVersion? version = Loaded(number);
            if (version is not null) _standing = _standing.Serving(_standing.Served.Remove(number)).With(new VersionStatus(number, ModelVersionState.Unloading));
            return version;
        }
    }

    /// <summary>A version that was withdrawn has answered its last request.</summary>
    public void End(long number) => Change(standing => standing.Versions.Contains(new VersionStatus(number, ModelVersionState.Unloading))
        ? standing.With(new VersionStatus(number, ModelVersionState.End))
        : standing);

    /// <summary>Forgets what was refused and is not wanted any more, and of what ended all but the newest.</summary>
    public void Forget(Func<long, bool> isWanted) => Change(standing =>
    {
        VersionStatus[] ended = [.. standing.Versions.Where(version => version.State == ModelVersionState.End && !isWanted(version.Version))];
        HashSet<VersionStatus> gone = [.. ended.Where(version => version.Reason is not null), .. ended.Where(version => version.Reason is null).SkipLast(EndedKept)];
        return standing with { Versions = [.. standing.Versions.Where(version => !gone.Contains(version))] };
    });

    /// <summary>Whether every version that is wanted was reached once.</summary>
    public void Settle() => Change(standing => standing with { Settled = true });

    public void Label(ImmutableDictionary<string, long> labels) => Change(standing => standing with { Labels = labels });

    /// <summary>The model is not to be served.</summary>
    public void Unplan() => Change(standing => standing with
    {
        Planned = false, Settled = false, Labels = ImmutableDictionary<string, long>.Empty,
        Versions = [.. standing.Versions.Where(version => version.Reason is null && version.Version > 0)],
    });

    private void Change(Func<Standing, Standing> change)
    {
        lock (_gate) _standing = change(_standing);
    }

    private LoadedVersion Find(Standing standing, VersionChoice choice)
    {
        if (standing.Served.Count == 0) throw Unavailable(standing);
        if (choice.Label is { } label)
        {
            if (!standing.Labels.TryGetValue(label, out long named))
                throw new ServingException(ServingError.VersionNotFound, $"Model '{Name}' has no version label '{label}'; {(standing.Labels.IsEmpty ? "ask for it without one" : $"its labels are {string.Join(", ", standing.Labels.Keys.Order(StringComparer.Ordinal))}")}.");
            choice = new VersionChoice(named, null);
        }
        if (choice.Number is not { } number) return standing.Newest!;
        return standing.Served.TryGetValue(number, out LoadedVersion? version)
            ? version
            : throw new ServingException(ServingError.VersionNotFound, $"Model '{Name}' is served in version {string.Join(", ", standing.Served.Keys)}, not '{number}'.");
    }

    private ServingException Unavailable(Standing standing) => standing switch
    {
        { Planned: false } => new ServingException(ServingError.ModelNotFound, $"Model '{Name}' is not served here now."),
        { Reason: { } reason } => new ServingException(ServingError.ModelUnavailable, $"Model '{Name}' is unavailable: {reason.Message}", reason),
        _ => new ServingException(ServingError.ModelUnavailable, $"Model '{Name}' is still being opened; try again soon.") { RetryAfter = TimeSpan.FromSeconds(1) },
    };

    /// <summary>One moment of the slot; replaced whole.</summary>
    private sealed record Standing(ImmutableArray<VersionStatus> Versions, ImmutableSortedDictionary<long, LoadedVersion> Served, ImmutableDictionary<string, long> Labels, bool Planned, bool Settled)
    {
        public static readonly Standing Opening = new(
            [new VersionStatus(0, ModelVersionState.Loading)], ImmutableSortedDictionary<long, LoadedVersion>.Empty, ImmutableDictionary<string, long>.Empty, Planned: true, Settled: false);

        /// <summary>The newest version that answers.</summary>
        public LoadedVersion? Newest { get; private init; }

        /// <summary>Of what was refused, the newest.</summary>
        public ServingException? Reason => Versions.LastOrDefault(version => version.Reason is not null).Reason;

        public ModelState State => Served.Count > 0 ? ModelState.Ready
            : !Planned || Reason is not null ? ModelState.Unavailable
            : ModelState.Loading;

        public Standing Serving(ImmutableSortedDictionary<long, LoadedVersion> served) =>
            this with { Served = served, Newest = served.IsEmpty ? null : served[served.Keys.Last()] };

        // A version whose number was not known before its file was open stood under 0.
        public Standing With(VersionStatus status) => this with
        {
            Versions = [.. Versions.Where(version => version.Version != status.Version && (version.Version != 0 || Served.ContainsKey(0))).Append(status).OrderBy(version => version.Version)],
        };
    }
}

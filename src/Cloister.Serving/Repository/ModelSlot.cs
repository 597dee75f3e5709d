using System.Collections.Immutable;
using Cloister.Serving.Callers;

namespace Cloister.Serving.Repository;

/// <summary>One model that the activation grants: its versions, and where each stands.</summary>
internal sealed class ModelSlot(string name)
{
    private volatile Standing _standing = Standing.Opening;

    public string Name { get; } = name;

    /// <summary>Where the model as a whole stands: it answers, is being opened, or was refused.</summary>
    public ModelState State => _standing.Served.Count > 0 ? ModelState.Ready : Reason is null ? ModelState.Loading : ModelState.Unavailable;

    /// <summary>Why no version answers; null if one does or is being opened.</summary>
    public ServingException? Reason => _standing.Served.Count > 0 ? null : _standing.Versions.LastOrDefault(version => version.Reason is not null).Reason;

    /// <summary>Every version that is known, the oldest first.</summary>
    public ImmutableArray<VersionStatus> Versions => _standing.Versions;

    /// <summary>The newest version that answers, without a hold on it; null if none does.</summary>
    public ServedModel? Newest => _standing is { Served.Count: > 0 } standing ? standing.Served[standing.Newest].Model : null;

    /// <summary>Holds the version that is asked for.</summary>
    /// <param name="choice">Which one.</param>
    /// <param name="permit">What the caller was allowed; disposed with the lease, and here if there is none.</param>
    /// <exception cref="ServingException"><see cref="ServingError.ModelUnavailable"/> with the reason, or <see cref="ServingError.VersionNotFound"/>.</exception>
    public ModelLease Lease(VersionChoice choice, CallPermit? permit = null)
    {
        try
        {
            while (true)
            {
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

    public void Serve(ServedModel model) => _standing = new Standing(
        [new VersionStatus(model.Version, ModelVersionState.Available)],
        ImmutableSortedDictionary<long, LoadedVersion>.Empty.Add(model.Version, new LoadedVersion(model)));

    public void Refuse(ServingException reason) => _standing = new Standing(
        [new VersionStatus(0, ModelVersionState.End, reason)], ImmutableSortedDictionary<long, LoadedVersion>.Empty);

    /// <summary>Takes no further request and ends when the last one is answered.</summary>
    public Task RetireAsync()
    {
        Standing last = _standing;
        _standing = new Standing([.. last.Versions.Select(version => version with { State = ModelVersionState.End })], ImmutableSortedDictionary<long, LoadedVersion>.Empty);
        return Task.WhenAll(last.Served.Values.Select(version => version.RetireAsync()));
    }

    private LoadedVersion Find(Standing standing, VersionChoice choice)
    {
        if (choice.Label is { } label)
            throw new ServingException(ServingError.VersionNotFound, $"Model '{Name}' has no version label '{label}'; ask for it without one.");
        if (standing.Served.Count == 0) throw Unavailable(standing);
        if (choice.Number is not { } number) return standing.Served[standing.Newest];
        return standing.Served.TryGetValue(number, out LoadedVersion? version)
            ? version
            : throw new ServingException(ServingError.VersionNotFound, $"Model '{Name}' is served in version {string.Join(", ", standing.Served.Keys)}, not '{number}'.");
    }

    private ServingException Unavailable(Standing standing) => standing.Versions.LastOrDefault(version => version.Reason is not null).Reason is { } reason
        ? new ServingException(ServingError.ModelUnavailable, $"Model '{Name}' is unavailable: {reason.Message}", reason)
        : new ServingException(ServingError.ModelUnavailable, $"Model '{Name}' is still being opened; try again soon.") { RetryAfter = TimeSpan.FromSeconds(1) };

    /// <summary>One moment of the slot; replaced whole.</summary>
    private sealed record Standing(ImmutableArray<VersionStatus> Versions, ImmutableSortedDictionary<long, LoadedVersion> Served)
    {
        public static readonly Standing Opening = new([new VersionStatus(0, ModelVersionState.Loading)], ImmutableSortedDictionary<long, LoadedVersion>.Empty);

        public long Newest { get; } = Served.Count == 0 ? 0 : Served.Keys.Last();
    }
}

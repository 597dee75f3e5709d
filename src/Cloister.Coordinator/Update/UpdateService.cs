using System.Collections.Immutable;
using Cloister.Coordinator.Manifest;
using Cloister.Coordinator.Recovery;
using Cloister.Coordinator.Secrets;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Stores;
using Cloister.Protocol.Manifest;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Update;

/// <summary>What an update or an acknowledgement has led to.</summary>
/// <param name="Fingerprint">Of the manifest in force.</param>
/// <param name="Standing">What is still missing; nothing where the update is in force.</param>
/// <param name="RecoverySecrets">By recovery key, where recovery changed; else empty.</param>
/// <param name="Withheld">Secrets that wait for their owners, in ordinal order.</param>
internal sealed record UpdateOutcome(string Fingerprint, Acknowledgements Standing, ImmutableDictionary<string, byte[]> RecoverySecrets, ImmutableArray<string> Withheld);

/// <summary>
/// Manifests after the first: updates of packages, and whole manifests that come into force once enough updaters have agreed to the same
/// bytes. Each request is one transaction; checks come in MarbleRun's order.
/// </summary>
internal sealed class UpdateService(LiveState state, ManifestIntake intake, TimeProvider time, ILogger<UpdateService> logger)
{
    private const int MaxAttempts = 16;

    /// <summary>The name of the user whose certificate this is, before anything else of a request is looked at.</summary>
    /// <exception cref="CoordinatorException">WrongState, NotAuthenticated.</exception>
    public string RequireUser(ReadOnlyMemory<byte>? certificate) => SecretService.Authenticate(SecretService.InForce(state.Current), certificate);

    /// <inheritdoc cref="SecretService.RequireUser(CoordinatorSnapshot, ReadOnlyMemory{byte}?)"/>
    public void RequireMarbleRunUser(ReadOnlyMemory<byte>? certificate) => SecretService.RequireUser(state.Current, certificate);

    /// <summary>Takes an update: raises packages at once, or proposes a whole manifest, to which its sender agrees.</summary>
    /// <exception cref="CoordinatorException">ManifestRefused, UpdateInProgress, NotPermitted, UpdateRefused, ManifestNotSupported, OwnerSignatureRequired, OwnerSignatureInvalid.</exception>
    public async Task<UpdateOutcome> SubmitAsync(
        ReadOnlyMemory<byte>? certificate, ReadOnlyMemory<byte> bytes, ManifestDialect dialect, ImmutableArray<OwnerSignature> signatures, CancellationToken cancellation)
    {
        RequireUser(certificate);
        ManifestUpdate update = ManifestUpdate.Read(bytes.Span, dialect);
        if (update.IsUndecodable)
            intake.RequireValid(update.Manifest, UpdateProblems.Of(update.Manifest, dialect));
        return update.Packages is { } packages
            ? await RaiseAsync(certificate, update.Manifest.Fingerprint, packages, dialect, signatures, cancellation)
            : await ProposeAsync(certificate, new PendingUpdate(bytes, dialect, signatures, []), update.Manifest, cancellation);
    }

    /// <summary>Agrees to the pending manifest; the last acknowledgement brings it into force.</summary>
    /// <exception cref="CoordinatorException">NotAuthenticated, NoPendingUpdate, NotAnUpdater, OtherUpdate.</exception>
    public async Task<UpdateOutcome> AcknowledgeAsync(ReadOnlyMemory<byte>? certificate, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        string user = "";
        PendingUpdate? agreed = null;
        (CoordinatorSnapshot after, var recoverySecrets) = await ChangeAsync((current, fresh) =>
        {
            ManifestInForce manifest = SecretService.InForce(current);
            user = SecretService.Authenticate(manifest, certificate);
            PendingUpdate pending = RequirePending(current);
            if (!Acknowledgements.IsUpdater(manifest.Document, user))
                throw new CoordinatorException(CoordinatorError.NotAnUpdater, $"user {user} is not allowed to acknowledge manifest updates");
            if (!pending.Manifest.Span.SequenceEqual(bytes.Span))
                throw new CoordinatorException(CoordinatorError.OtherUpdate, "provided manifest does not match the pending manifest");
            agreed = pending.Acknowledged.Contains(user) ? pending : pending with { Acknowledged = pending.Acknowledged.Add(user) };
            Acknowledgements standing = Acknowledgements.Of(manifest.Document, agreed);
            string line = UpdateLog.UpdateAcknowledged(time.GetUtcNow(), user, standing.Missing, standing.MissingUsers, ManifestFingerprint.Of(bytes.Span));
            return Advance(current with { Pending = agreed, UpdateLog = current.UpdateLog.Add(line) }, agreed, standing, fresh);
        }, cancellation);
        return Concluded(after, agreed!, user, recoverySecrets);
    }

    /// <summary>Drops the pending manifest.</summary>
    /// <param name="certificate">An updater's.</param>
    /// <param name="fingerprint">Of the manifest to drop; null, on MarbleRun's wire, for whichever is pending.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <exception cref="CoordinatorException">NotAuthenticated, NotAnUpdater, NoPendingUpdate, OtherUpdate.</exception>
    public async Task CancelAsync(ReadOnlyMemory<byte>? certificate, string? fingerprint, CancellationToken cancellation)
    {
        string user = "";
        await state.ChangeAsync(current =>
        {
            ManifestInForce manifest = SecretService.InForce(current);
            user = SecretService.Authenticate(manifest, certificate);
            if (!Acknowledgements.IsUpdater(manifest.Document, user))
                throw new CoordinatorException(CoordinatorError.NotAnUpdater, $"user {user} is not allowed to cancel the manifest update");
            string pending = ManifestFingerprint.Of(RequirePending(current).Manifest.Span);
            if (fingerprint is not null && fingerprint != pending)
                throw new CoordinatorException(CoordinatorError.OtherUpdate, $"The pending manifest is {pending}, not {fingerprint}; it was left alone.");
            return current with { Pending = null, UpdateLog = current.UpdateLog.Add(UpdateLog.UpdateCancelled(time.GetUtcNow(), user, pending)) };
        }, cancellation);
        logger.UpdateCancelled(user);
    }

    /// <summary>The pending manifest and how far it has come.</summary>
    /// <exception cref="CoordinatorException">NoPendingUpdate.</exception>
    public (PendingUpdate Pending, Acknowledgements Standing) GetPending()
    {
        CoordinatorSnapshot current = state.Current;
        PendingUpdate pending = RequirePending(current);
        return (pending, Acknowledgements.Of(current.Manifest!.Document, pending));
    }

    private async Task<UpdateOutcome> RaiseAsync(ReadOnlyMemory<byte>? certificate, string fingerprint, ImmutableSortedDictionary<string, PackageRaise> packages,
        ManifestDialect dialect, ImmutableArray<OwnerSignature> signatures, CancellationToken cancellation)
    {
        string user = "";
        (CoordinatorSnapshot after, var recoverySecrets) = await ChangeAsync((current, fresh) =>
        {
            ManifestInForce manifest = SecretService.InForce(current);
            user = SecretService.Authenticate(manifest, certificate);
            RequireNonePending(current);
            if (!MayRaise(manifest.Document, user, packages.Keys))
                throw new CoordinatorException(CoordinatorError.NotPermitted, $"user {user} is not allowed to update one or more packages of [{string.Join(' ', packages.Keys)}]");
            intake.RequireOwner(fingerprint, dialect, signatures);
            PackageUpdate.Check(current, packages);
            return fresh is not null && fresh.Fits(current, manifest.Fingerprint)
                ? (PackageUpdate.Apply(current, packages, user, fresh, time.GetUtcNow()), null)
                : (null, () => FreshMaterial.Make(current, manifest, time));
        }, cancellation);
        logger.PackagesRaised(user, packages.Count);
        return Outcome(after, new Acknowledgements(0, []), recoverySecrets);
    }

    private async Task<UpdateOutcome> ProposeAsync(ReadOnlyMemory<byte>? certificate, PendingUpdate proposed, ManifestOutcome outcome, CancellationToken cancellation)
    {
        string user = "";
        PendingUpdate pending = proposed;
        (CoordinatorSnapshot after, var recoverySecrets) = await ChangeAsync((current, fresh) =>
        {
            ManifestInForce manifest = SecretService.InForce(current);
            user = SecretService.Authenticate(manifest, certificate);
            RequireNonePending(current);
            if (!Acknowledgements.IsUpdater(manifest.Document, user))
                throw new CoordinatorException(CoordinatorError.NotPermitted, $"user {user} is not allowed to update the complete manifest");
            intake.RequireOwner(outcome.Fingerprint, proposed.Dialect, proposed.OwnerSignatures);
            intake.RequireValid(outcome, UpdateProblems.Of(outcome, proposed.Dialect));
            SealModes.RequireReachable(manifest.Document, outcome.Document);
            if (manifest.Dialect == ManifestDialect.Cloister && proposed.Dialect == ManifestDialect.MarbleRun)
                throw new CoordinatorException(CoordinatorError.UpdateRefused,
                    "The manifest in force is Cloister's; on MarbleRun's paths its successor would lose what only Cloister reads, such as models and callers. Send it to /api/v3/update.");
            pending = proposed with { Acknowledged = [user] };
            Acknowledgements standing = Acknowledgements.Of(manifest.Document, pending);
            string line = UpdateLog.UpdateSent(time.GetUtcNow(), user, standing.Missing, standing.MissingUsers, outcome.Fingerprint);
            return Advance(current with { Pending = pending, UpdateLog = current.UpdateLog.Add(line) }, pending, standing, fresh);
        }, cancellation);
        foreach (ManifestProblem warning in outcome.Warnings)
            logger.ManifestWarning(warning.Message);
        return Concluded(after, pending, user, recoverySecrets);
    }

    // Brings a manifest into force that nobody has to acknowledge any more.
    private (CoordinatorSnapshot? Next, Func<FreshMaterial>? Needs) Advance(CoordinatorSnapshot agreed, PendingUpdate pending, Acknowledgements standing, FreshMaterial? fresh)
    {
        if (standing.Missing > 0)
            return (agreed, null);
        if (fresh is not null && fresh.Fits(agreed, ManifestFingerprint.Of(pending.Manifest.Span)))
            return (Succession.Apply(agreed, fresh, time.GetUtcNow()), null);
        return (null, () =>
        {
            ManifestOutcome outcome = ManifestReader.Read(pending.Manifest.Span, pending.Dialect);
            return FreshMaterial.Make(agreed, ManifestIntake.Prepare(pending.Manifest, pending.Dialect, outcome, pending.OwnerSignatures), time);
        });
    }

    // Keys are made outside the transaction, which would hold up every other; it is decided again with them at hand.
    private async Task<(CoordinatorSnapshot After, ImmutableDictionary<string, byte[]> RecoverySecrets)> ChangeAsync(
        Func<CoordinatorSnapshot, FreshMaterial?, (CoordinatorSnapshot? Next, Func<FreshMaterial>? Needs)> decide, CancellationToken cancellation)
    {
        FreshMaterial? fresh = null;
        try
        {
            for (int attempt = 0; attempt < MaxAttempts; attempt++)
            {
                Func<FreshMaterial>? needs = null;
                CoordinatorSnapshot after = await state.ChangeAsync(current =>
                {
                    (CoordinatorSnapshot? next, needs) = decide(current, fresh);
                    return next ?? current;
                }, cancellation);
                if (needs is null)
                    return (after, fresh?.Recovery.Secrets ?? ImmutableDictionary<string, byte[]>.Empty);
                fresh?.Dispose();
                fresh = await Task.Run(needs, cancellation);
            }
            throw new StoreException(StoreError.Contended, $"Others changed the state {MaxAttempts} times in between; try again.");
        }
        finally
        {
            fresh?.Dispose();
        }
    }

    private UpdateOutcome Concluded(CoordinatorSnapshot after, PendingUpdate pending, string user, ImmutableDictionary<string, byte[]> recoverySecrets)
    {
        Acknowledgements standing = after.Pending is null ? new Acknowledgements(0, []) : Acknowledgements.Of(after.Manifest!.Document, after.Pending);
        logger.UpdateAgreed(user, ManifestFingerprint.Of(pending.Manifest.Span), standing.Missing);
        if (after.Pending is null)
            logger.ManifestReplaced(after.Manifest!.Fingerprint, after.Manifest.Dialect, after.Withheld.Count);
        return Outcome(after, standing, recoverySecrets);
    }

    private static UpdateOutcome Outcome(CoordinatorSnapshot after, Acknowledgements standing, ImmutableDictionary<string, byte[]> recoverySecrets) => new(
        after.Manifest!.Fingerprint, standing, after.Pending is null ? recoverySecrets : ImmutableDictionary<string, byte[]>.Empty, [.. after.Withheld.Keys.Order(StringComparer.Ordinal)]);

    // Of no package at all, whoever may raise any.
    private static bool MayRaise(ManifestDocument manifest, string user, IEnumerable<string> packages) => packages.Any()
        ? packages.All(package => manifest.Allows(user, ManifestActions.UpdateSecurityVersion, ManifestActions.Packages, package))
        : manifest.Packages.Keys.Any(package => manifest.Allows(user, ManifestActions.UpdateSecurityVersion, ManifestActions.Packages, package));

    private static PendingUpdate RequirePending(CoordinatorSnapshot current) =>
        current.Pending ?? throw new CoordinatorException(CoordinatorError.NoPendingUpdate, "no update in progress");

    private static void RequireNonePending(CoordinatorSnapshot current)
    {
        if (current.Pending is not null)
            throw new CoordinatorException(CoordinatorError.UpdateInProgress, "update already in progress. Acknowledge the update to apply it, or cancel it to start a new one");
    }
}

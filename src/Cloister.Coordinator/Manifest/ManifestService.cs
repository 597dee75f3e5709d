using System.Collections.Immutable;
using Cloister.Coordinator.Recovery;
using Cloister.Coordinator.Secrets;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Manifest;

/// <summary>Takes the first manifest: checks it whole, then makes it the one in force, once.</summary>
internal sealed class ManifestService(LiveState state, RecoveryService recovery, ManifestIntake intake, TimeProvider time, ILogger<ManifestService> logger)
{
    /// <summary>Sets the manifest and returns its fingerprint, and the recovery secrets by recovery key.</summary>
    /// <exception cref="CoordinatorException">WrongState, ManifestRefused, ManifestNotSupported, OwnerSignatureRequired, OwnerSignatureInvalid.</exception>
    public async Task<(string Fingerprint, ImmutableDictionary<string, byte[]> RecoverySecrets)> SetAsync(ReadOnlyMemory<byte> bytes, ManifestDialect dialect, ImmutableArray<OwnerSignature> signatures, CancellationToken cancellation)
    {
        RequireAccepting(state.Current, recovery.MayBeginAnew);
        ManifestOutcome outcome = ManifestReader.Read(bytes.Span, dialect);
        intake.RequireOwner(outcome.Fingerprint, dialect, signatures);
        // MarbleRun reports the first problem alone, in its own words; Cloister all of them, each with its place.
        intake.RequireValid(outcome, dialect == ManifestDialect.MarbleRun ? outcome.Problems.Take(1).Select(problem => problem.Message) : ManifestIntake.WithPlaces(outcome));
        ManifestInForce manifest = ManifestIntake.Prepare(bytes, dialect, outcome, signatures);
        using RecoverySetup setup = RecoverySetup.Prepare(null, outcome.Document);
        if (recovery.MayBeginAnew)
            await recovery.BeginAnewAsync(cancellation);
        CoordinatorSnapshot after = await state.ChangeAsync(current =>
        {
            RequireAccepting(current, mayBeginAnew: false);
            return setup.Apply(current) with
            {
                State = CoordinatorState.AcceptingMarbles,
                Manifest = manifest.SignedBy(current.Authority),
                Secrets = SharedSecrets.Generate(manifest.Document, current.Authority, time.GetUtcNow()),
                UpdateLog = current.UpdateLog.Add(UpdateLog.ManifestSet(time.GetUtcNow(), manifest)),
            };
        }, cancellation);
        logger.ManifestSet(manifest.Fingerprint, dialect, after.Version);
        foreach (ManifestProblem warning in outcome.Warnings)
            logger.ManifestWarning(warning.Message);
        if (after.KeepsNothing && after.Recovery is not null)
            logger.NothingToRecover();
        return (manifest.Fingerprint, setup.Secrets);
    }

    private static void RequireAccepting(CoordinatorSnapshot snapshot, bool mayBeginAnew)
    {
        if (snapshot.State == CoordinatorState.Recovery && !mayBeginAnew)
            throw new CoordinatorException(CoordinatorError.WrongState,
                "The coordinator found a state that it cannot open and does not replace it. Upload its recovery secrets, put back the key it was sealed with, or move the seal folder away and restart to begin anew.");
        if (snapshot.State != CoordinatorState.Recovery && snapshot.State != CoordinatorState.AcceptingManifest)
            throw new CoordinatorException(CoordinatorError.WrongState,
                $"A manifest is in force already ({snapshot.Manifest?.Fingerprint}); the first one wins. {StatusText.Of(snapshot.State)}");
    }
}

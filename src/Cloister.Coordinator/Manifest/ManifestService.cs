using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Coordinator.Recovery;
using Cloister.Coordinator.Secrets;
using Cloister.Coordinator.State;
using Cloister.Protocol;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Manifest;

/// <summary>Takes the first manifest: checks it whole, then makes it the one in force, once.</summary>
internal sealed class ManifestService(
    LiveState state, RecoveryService recovery, ImmutableArray<ReadOnlyMemory<byte>> ownerKeys, bool simulation, TimeProvider time, ILogger<ManifestService> logger)
{
    private const int MaxOwnerSignatures = 16, MaxShownProblems = 20;

    /// <summary>Sets the manifest and returns its fingerprint, and the recovery secrets by recovery key.</summary>
    /// <exception cref="CoordinatorException">WrongState, ManifestRefused, ManifestNotSupported, OwnerSignatureRequired, OwnerSignatureInvalid.</exception>
    public async Task<(string Fingerprint, ImmutableDictionary<string, byte[]> RecoverySecrets)> SetAsync(ReadOnlyMemory<byte> bytes, ManifestDialect dialect, ImmutableArray<OwnerSignature> signatures, CancellationToken cancellation)
    {
        RequireAccepting(state.Current, recovery.MayBeginAnew);
        ManifestOutcome outcome = ManifestReader.Read(bytes.Span, dialect);
        RequireOwner(outcome.Fingerprint, dialect, signatures);
        // MarbleRun reports the first problem alone, in its own words; Cloister all of them, each with its place.
        Refuse(CoordinatorError.ManifestRefused, dialect == ManifestDialect.MarbleRun
            ? outcome.Problems.Take(1).Select(problem => problem.Message)
            : outcome.Problems.Select(problem => problem.Field.Length == 0 ? problem.Message : $"{problem.Field}: {problem.Message}"));
        Refuse(CoordinatorError.ManifestNotSupported, UnsupportedFeatures.Find(outcome.Document, simulation));
        ManifestInForce manifest = Prepare(bytes, dialect, outcome, signatures);
        using RecoverySetup setup = RecoverySetup.Prepare(null, outcome.Document);
        if (recovery.MayBeginAnew)
            await recovery.BeginAnewAsync(cancellation);
        CoordinatorSnapshot after = await state.ChangeAsync(current =>
        {
            RequireAccepting(current, mayBeginAnew: false);
            return setup.Apply(current) with
            {
                State = CoordinatorState.AcceptingMarbles,
                Manifest = manifest with { RootSignature = Sign(current, bytes) },
                Secrets = SharedSecrets.Generate(manifest.Document, current.Authority, time.GetUtcNow()),
                UpdateLog = current.UpdateLog.Add(UpdateLog.ManifestSet(time.GetUtcNow(), manifest.Fingerprint, signatures.Select(OwnerName))),
            };
        }, cancellation);
        logger.ManifestSet(manifest.Fingerprint, dialect, after.Version);
        foreach (ManifestProblem warning in outcome.Warnings)
            logger.ManifestWarning(warning.Message);
        if (after.KeepsNothing && after.Recovery is not null)
            logger.NothingToRecover();
        return (manifest.Fingerprint, setup.Secrets);
    }

    private static ManifestInForce Prepare(ReadOnlyMemory<byte> bytes, ManifestDialect dialect, ManifestOutcome outcome, ImmutableArray<OwnerSignature> signatures)
    {
        try
        {
            return new ManifestInForce(bytes, outcome.Fingerprint, dialect, outcome.Document, signatures, default);
        }
        catch (ProtocolException error)
        {
            throw new CoordinatorException(CoordinatorError.ManifestRefused, error.Message, error);
        }
    }

    private void RequireOwner(string fingerprint, ManifestDialect dialect, ImmutableArray<OwnerSignature> signatures)
    {
        if (signatures.Length > MaxOwnerSignatures)
            throw new CoordinatorException(CoordinatorError.BadRequest, $"The manifest comes with {signatures.Length} signatures; at most {MaxOwnerSignatures} are looked at.");
        foreach (OwnerSignature signature in signatures)
        {
            if (!ManifestOwner.Verify(signature, fingerprint))
                throw new CoordinatorException(CoordinatorError.OwnerSignatureInvalid, $"The signature of owner {OwnerName(signature)} is not over this manifest ({fingerprint}). Sign the exact bytes that you send.");
        }
        if (ownerKeys.IsEmpty || signatures.Any(signature => ownerKeys.Any(key => key.Span.SequenceEqual(signature.PublicKey.Span))))
            return;
        throw new CoordinatorException(CoordinatorError.OwnerSignatureRequired, dialect == ManifestDialect.MarbleRun
            ? "This coordinator takes only manifests that an owner has signed, and MarbleRun's paths carry no signature: set the manifest through /api/v3/manifest."
            : "This coordinator takes only manifests that one of its configured owners has signed; none of the signatures is theirs.");
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

    private static ReadOnlyMemory<byte> Sign(CoordinatorSnapshot snapshot, ReadOnlyMemory<byte> manifest)
    {
        using ECDsa root = snapshot.Authority.Root.GetECDsaPrivateKey()!;
        return root.SignData(manifest.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    private void Refuse(CoordinatorError error, IEnumerable<string> problems)
    {
        string[] found = [.. problems];
        if (found.Length == 0)
            return;
        logger.ManifestRefused(error, found.Length, found[0]);
        string more = found.Length > MaxShownProblems ? $"; and {found.Length - MaxShownProblems} more" : "";
        throw new CoordinatorException(error, string.Join("; ", found.Take(MaxShownProblems)) + more);
    }

    private static string OwnerName(OwnerSignature signature) => Convert.ToHexStringLower(SHA256.HashData(signature.PublicKey.Span));
}

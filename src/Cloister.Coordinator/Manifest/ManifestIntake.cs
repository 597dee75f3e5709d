using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Coordinator.State;
using Cloister.Protocol;
using Cloister.Protocol.Manifest;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Manifest;

/// <summary>What every manifest passes before it comes into force, the first one and each later one: its owners' signatures and all checks.</summary>
internal sealed class ManifestIntake(ImmutableArray<ReadOnlyMemory<byte>> ownerKeys, bool simulation, ILogger logger)
{
    private const int MaxOwnerSignatures = 16, MaxShownProblems = 20;

    /// <exception cref="CoordinatorException">BadRequest, OwnerSignatureInvalid, OwnerSignatureRequired.</exception>
    public void RequireOwner(string fingerprint, ManifestDialect dialect, ImmutableArray<OwnerSignature> signatures)
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
            ? "This coordinator takes only manifests that an owner has signed, and MarbleRun's paths carry no signature: send it to /api/v3/manifest, or an update to /api/v3/update."
            : "This coordinator takes only manifests that one of its configured owners has signed; none of the signatures is theirs.");
    }

    /// <summary>Refuses what is not valid or not supported.</summary>
    /// <param name="outcome">The manifest as it was read.</param>
    /// <param name="problems">What is wrong with it, in the words of its surface.</param>
    /// <exception cref="CoordinatorException">ManifestRefused, ManifestNotSupported.</exception>
    public void RequireValid(ManifestOutcome outcome, IEnumerable<string> problems)
    {
        Refuse(CoordinatorError.ManifestRefused, problems);
        Refuse(CoordinatorError.ManifestNotSupported, UnsupportedFeatures.Find(outcome.Document, simulation));
    }

    /// <summary>A valid manifest with its plans, not yet signed.</summary>
    /// <exception cref="CoordinatorException">ManifestRefused: a template cannot be read.</exception>
    public static ManifestInForce Prepare(ReadOnlyMemory<byte> bytes, ManifestDialect dialect, ManifestOutcome outcome, ImmutableArray<OwnerSignature> signatures)
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

    /// <summary>All problems, each with its place.</summary>
    public static IEnumerable<string> WithPlaces(ManifestOutcome outcome) =>
        outcome.Problems.Select(problem => problem.Field.Length == 0 ? problem.Message : $"{problem.Field}: {problem.Message}");

    public static string OwnerName(OwnerSignature signature) => Convert.ToHexStringLower(SHA256.HashData(signature.PublicKey.Span));

    private void Refuse(CoordinatorError error, IEnumerable<string> problems)
    {
        string[] found = [.. problems];
        if (found.Length == 0)
            return;
        logger.ManifestRefused(error, found.Length, found[0]);
        string more = found.Length > MaxShownProblems ? $"; and {found.Length - MaxShownProblems} more" : "";
        throw new CoordinatorException(error, string.Join("; ", found.Take(MaxShownProblems)) + more);
    }
}

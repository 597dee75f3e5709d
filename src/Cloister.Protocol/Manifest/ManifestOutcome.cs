using System.Collections.Immutable;

namespace Cloister.Protocol.Manifest;

/// <summary>How strictly a manifest is read.</summary>
public enum ManifestDialect
{
    /// <summary>As MarbleRun 1.9 does: members match without case, unknown ones are ignored, of repeated ones the last wins.</summary>
    MarbleRun = 1,
    /// <summary>Cloister's members too; unknown and repeated members are refused, and names match exactly.</summary>
    Cloister = 2,
}

/// <summary>One thing that is wrong with a manifest.</summary>
/// <param name="Code">Its number.</param>
/// <param name="Field">The member, for example <c>Models.digits.Secret</c>; empty for the whole document.</param>
/// <param name="Message">What is wrong; in MarbleRun's words where MarbleRun has a check for it.</param>
public sealed record ManifestProblem(ManifestProblemCode Code, string Field, string Message);

/// <summary>A manifest, or everything that is wrong with it.</summary>
public sealed class ManifestOutcome
{
    private readonly ManifestDocument? _document;

    internal ManifestOutcome(ManifestDocument? document, ImmutableArray<ManifestProblem> problems, ImmutableArray<ManifestProblem> warnings, string fingerprint)
    {
        _document = problems.IsEmpty ? document : null;
        Problems = problems;
        Warnings = warnings;
        Fingerprint = fingerprint;
    }

    /// <summary>Whether the manifest may be set.</summary>
    public bool IsAccepted => _document is not null;

    /// <summary>The manifest.</summary>
    /// <exception cref="InvalidOperationException">It was refused: read <see cref="Problems"/>.</exception>
    public ManifestDocument Document => _document ?? throw new InvalidOperationException($"The manifest was refused: {Problems[0].Message}");

    /// <summary>What is wrong, in the order MarbleRun checks; empty where it is accepted.</summary>
    public ImmutableArray<ManifestProblem> Problems { get; }

    /// <summary>What is allowed and should be known, such as a package without a full identity.</summary>
    public ImmutableArray<ManifestProblem> Warnings { get; }

    /// <summary><see cref="ManifestFingerprint.Of"/> of the bytes that were read.</summary>
    public string Fingerprint { get; }
}

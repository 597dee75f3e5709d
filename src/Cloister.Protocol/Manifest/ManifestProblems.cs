using System.Collections.Immutable;

namespace Cloister.Protocol.Manifest;

/// <summary>Collects what is wrong with one manifest, in the order it is found.</summary>
internal sealed class ManifestProblems(ManifestDialect dialect)
{
    private readonly ImmutableArray<ManifestProblem>.Builder _problems = ImmutableArray.CreateBuilder<ManifestProblem>();
    private readonly ImmutableArray<ManifestProblem>.Builder _warnings = ImmutableArray.CreateBuilder<ManifestProblem>();

    public bool IsCloister => dialect == ManifestDialect.Cloister;
    public int Count => _problems.Count;

    public void Add(ManifestProblemCode code, string field, string message) => _problems.Add(new(code, field, message));

    public void Warn(ManifestProblemCode code, string field, string message) => _warnings.Add(new(code, field, message));

    public ImmutableArray<ManifestProblem> Problems => _problems.ToImmutable();
    public ImmutableArray<ManifestProblem> Warnings => _warnings.ToImmutable();
}

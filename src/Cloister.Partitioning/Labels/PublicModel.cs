using System.Collections.Immutable;
using Cloister.Partitioning.Heuristic;

namespace Cloister.Partitioning.Labels;

/// <summary>A classifier that anybody has, with the names of its classes.</summary>
/// <param name="Name">What reports call it.</param>
/// <param name="Classifier">The classifier; the caller disposes it.</param>
/// <param name="Labels">
/// A name a class, in its order. Empty, where its classes are those of the assessed model in the same order; then names do not matter.
/// </param>
public sealed record PublicModel(string Name, Oracle Classifier, ImmutableArray<string> Labels);

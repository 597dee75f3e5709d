using System.Collections.Immutable;

namespace Cloister.Partitioning.Transposed;

/// <summary>What a value of a graph is for one item.</summary>
/// <param name="IsFloat">Whether its elements are 32-bit floats.</param>
/// <param name="Shape">Its dimensions.</param>
internal readonly record struct ValueShape(bool IsFloat, ImmutableArray<long> Shape);

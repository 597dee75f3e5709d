namespace Cloister.Homomorphic.Import;

/// <summary>A table of numbers with named columns; an absent cell is NaN.</summary>
/// <param name="Columns">The names, in order.</param>
/// <param name="Rows">One array a row, as long as <paramref name="Columns"/>.</param>
public sealed record CsvTable(IReadOnlyList<string> Columns, IReadOnlyList<double[]> Rows);

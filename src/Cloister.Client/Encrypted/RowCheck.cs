using Cloister.Homomorphic.Models;

namespace Cloister.Client;

/// <summary>Looks at rows before they are encrypted, and names the row and the column where something is wrong. It never says a value.</summary>
public static class RowCheck
{
    /// <summary>Checks rows.</summary>
    /// <param name="specification">The model's.</param>
    /// <param name="rows">One number a feature; rows are counted from 1 in what is said of them.</param>
    /// <param name="strict">Whether values out of range are refused; otherwise they are counted, and held at the range's end when they are encrypted.</param>
    /// <returns>How many values of each feature are out of range; features without any are not there.</returns>
    /// <exception cref="ClientException"><see cref="ClientError.RowRefused"/>.</exception>
    public static IReadOnlyDictionary<string, int> Require(ClientSpecification specification, IReadOnlyList<double[]> rows, bool strict = false)
    {
        if (rows.Count == 0) throw new ClientException(ClientError.RowRefused, "There are no rows to ask about.");
        var outside = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int row = 0; row < rows.Count; row++)
        {
            if (rows[row].Length != specification.Features.Count)
                throw new ClientException(ClientError.RowRefused, $"Row {row + 1} has {rows[row].Length} values; the model has {specification.Features.Count} features.");
            for (int column = 0; column < specification.Features.Count; column++)
            {
                FeatureSpecification feature = specification.Features[column];
                RequireNumber(rows[row][column], row, feature);
                if (specification.Design != ModelDesign.Linear || IsInRange(rows[row][column], feature)) continue;
                if (strict) throw new ClientException(ClientError.RowRefused, $"Row {row + 1}: '{feature.Name}' is outside the range that the model was calibrated for.");
                outside[feature.Name] = outside.GetValueOrDefault(feature.Name) + 1;
            }
        }
        return outside;
    }

    private static void RequireNumber(double value, int row, FeatureSpecification feature)
    {
        if (double.IsFinite(value)) return;
        if (double.IsNaN(value) && feature.AbsentLevel is not null) return;
        string what = double.IsNaN(value) ? "is absent, and the model needs a number" : "is infinite";
        throw new ClientException(ClientError.RowRefused, $"Row {row + 1}: '{feature.Name}' {what}. Fill it in as the model's training did.");
    }

    private static bool IsInRange(double value, FeatureSpecification feature)
    {
        double integer = Math.Round((value - feature.Offset) / feature.Step);
        return integer >= feature.Minimum && integer <= feature.Maximum;
    }
}

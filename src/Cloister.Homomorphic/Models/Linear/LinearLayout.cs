namespace Cloister.Homomorphic.Models;

/// <summary>
/// Where rows, weights and sums stand. Features are shared out over as many ciphertexts as are needed for all scores of a row to fit one; of each
/// ciphertext, row r holds its G features at r K G + i, for K scores.
/// </summary>
/// <remarks>
/// The weight of score k and feature i stands at k G + (G - 1 - i). A product's coefficient at r K G + k G + G - 1 then sums x(r', i') w(k', i'') with
/// (r' - r) K G + (k' - k) G + (i' - i'') = 0; since |i' - i''| &lt; G and |k' - k| &lt; K, that is r' = r, k' = k, i' = i'': the weighted sum of row r for
/// score k, and nothing else. The highest power of the product is R K G + G - 2 for R rows, and R K G &lt;= n: what comes around through X^n = -1 stops
/// at G - 2, before the first sum at G - 1.
/// </remarks>
internal sealed record LinearLayout(int Degree, int Features, int Scores)
{
    /// <summary>The most row sets that a query may have.</summary>
    internal const int MaximumRowSets = 4096;

    /// <summary>How many ciphertexts a row set has.</summary>
    internal int Groups { get; } = Scores <= Degree ? (Features + Degree / Scores - 1) / (Degree / Scores) : throw TooLarge(Scores, Degree);

    /// <summary>G.</summary>
    internal int PerCiphertext => (Features + Groups - 1) / Groups;

    /// <summary>From one row to the next: K G.</summary>
    internal int Stride => Scores * PerCiphertext;

    /// <summary>R.</summary>
    internal int Rows => Degree / Stride;

    /// <summary>The place of the first sum.</summary>
    internal int First => PerCiphertext - 1;

    /// <summary>From one sum to the next; row after row, and within a row score after score.</summary>
    internal int Step => PerCiphertext;

    /// <summary>The layout of a specification.</summary>
    /// <exception cref="HomomorphicException">The specification's own layout is another.</exception>
    internal static LinearLayout Of(ClientSpecification specification)
    {
        if (specification.Output.Scales.Count > specification.Parameters.Degree) throw new HomomorphicException(HomomorphicError.Specification, "The client specification's output.scales is refused: there are more scores than coefficients.");
        var layout = new LinearLayout(specification.Parameters.Degree, specification.Features.Count, specification.Output.Scales.Count);
        LayoutSpecification expected = layout.ToSpecification(), given = specification.Layout;
        bool same = (given.Rows, given.Stride, given.Levels, given.FeaturesPerCiphertext, given.QueryCiphertexts, given.AnswerCiphertexts, given.Trees.Count + given.Groups.Count)
            == (expected.Rows, expected.Stride, 0, expected.FeaturesPerCiphertext, expected.QueryCiphertexts, expected.AnswerCiphertexts, 0);
        return same ? layout : throw new HomomorphicException(HomomorphicError.Specification, $"The client specification's layout is refused: a linear model of {layout.Features} features and {layout.Scores} scores at degree {layout.Degree} has another.");
    }

    internal LayoutSpecification ToSpecification() => new()
    {
        Rows = Rows,
        Stride = Stride,
        FeaturesPerCiphertext = PerCiphertext,
        QueryCiphertexts = Groups,
        AnswerCiphertexts = 1,
    };

    /// <summary>How many row sets some rows make.</summary>
    internal int RowSets(int rows) => (rows + Rows - 1) / Rows;

    /// <summary>How many rows a row set holds, of so many in all.</summary>
    internal int RowsOf(int rowSet, int rows) => Math.Min(Rows, rows - rowSet * Rows);

    /// <summary>The place of a weight in its ciphertext's factor.</summary>
    internal int PlaceOfWeight(int score, int feature) => score * PerCiphertext + PerCiphertext - 1 - feature % PerCiphertext;

    private static HomomorphicException TooLarge(int scores, int degree) => new(HomomorphicError.ModelSize, $"A linear model has at most {degree} scores, not {scores}.");
}

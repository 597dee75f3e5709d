namespace Cloister.Partitioning.Weights;

/// <summary>A tensor of weights beside its counterpart in a public model.</summary>
/// <param name="Name">Its name in the model.</param>
/// <param name="Operator">What uses it first, such as <c>Conv</c>.</param>
/// <param name="Outside">Whether the part outside has it in clear.</param>
/// <param name="Parameters">Its elements.</param>
/// <param name="RelativeDistance">The length of the difference over the length of the public weights; about 1.4 for weights made apart from each other.</param>
/// <param name="Cosine">The cosine between both; about 0 for weights made apart from each other.</param>
/// <param name="Origin">What this says.</param>
public sealed record WeightComparison(string Name, string Operator, bool Outside, long Parameters, double RelativeDistance, double Cosine, WeightOrigin Origin)
{
    // Halves have a rounding error of 2^-11 at most.
    private const double Rounding = 1e-3, Alike = 0.5;

    internal static WeightComparison Of(string name, string type, bool outside, ReadOnlySpan<float> own, ReadOnlySpan<float> known)
    {
        double distance = 0, square = 0, ownSquare = 0, both = 0;
        for (int i = 0; i < own.Length; i++)
        {
            double a = own[i], b = known[i];
            distance += (a - b) * (a - b);
            (square, ownSquare, both) = (square + b * b, ownSquare + a * a, both + a * b);
        }
        // Of weights that are all zero, such as biases never learned, only equality can be told.
        double relative = distance == 0 ? 0 : square == 0 ? double.MaxValue : Math.Sqrt(distance / square);
        double cosine = distance == 0 ? 1 : square == 0 || ownSquare == 0 ? 0 : both / Math.Sqrt(square * ownSquare);
        return new WeightComparison(name, type, outside, own.Length, relative, cosine, relative <= Rounding ? WeightOrigin.Public : cosine > Alike ? WeightOrigin.Tuned : WeightOrigin.Own);
    }
}

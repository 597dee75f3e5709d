namespace Cloister.Homomorphic.Models;

/// <summary>Compiles decision trees, random forests and gradient boosting for encrypted rows.</summary>
public static class ForestCompiler
{
    /// <summary>Chooses levels, quantises thresholds and leaves, and lays the model out.</summary>
    /// <param name="model">The model in the clear.</param>
    /// <param name="calibration">Rows like those that will be asked, NaN where a feature is absent: levels are chosen by them.</param>
    /// <param name="options">What it is compiled for.</param>
    /// <exception cref="HomomorphicException">The model or the table is refused, or the model is beyond what the design can hold.</exception>
    public static CompiledModel Compile(Forest model, IReadOnlyList<double[]> calibration, ForestOptions options) =>
        throw new NotSupportedException($"{options.Name} with {model.Trees.Count} trees cannot be compiled on {calibration.Count} rows yet.");
}

namespace Cloister.Serving.Engines;

/// <summary>An engine that answers encrypted queries: one tensor of bytes in, one out.</summary>
internal interface IQueryEngine : IModelEngine
{
    /// <summary>The most bytes of a query.</summary>
    long MaximumQueryBytes { get; }

    /// <summary>As <see cref="IModelEngine.PredictAsync"/>, on an account.</summary>
    /// <exception cref="ServingException">As there, or <see cref="ServingError.QuotaExceeded"/>, or why the query is refused.</exception>
    Task<Prediction> PredictAsync(IReadOnlyList<Tensor> inputs, IQueryAccount account, TimeSpan timeout, CancellationToken cancellation);
}

using Cloister.Serving.Engines;
using Cloister.Serving.Repository;

namespace Cloister.Serving.TensorFlow;

/// <summary>A predict request of TF Serving's REST API.</summary>
internal sealed class PredictRequest(ServedModel model) : IDisposable
{
    /// <summary>Whether the caller wrote <c>instances</c> (one entry an item) rather than <c>inputs</c> (one an input): the answer has the same form.</summary>
    public bool IsRow { get; set; }

    /// <summary>One tensor an input, in the model's order.</summary>
    public Tensor?[] Inputs { get; } = new Tensor?[model.Engine.Inputs.Count];

    public void Dispose()
    {
        foreach (Tensor? input in Inputs) input?.Dispose();
    }
}

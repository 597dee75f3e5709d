using Cloister.Serving.Engines;
using Cloister.Serving.Repository;

namespace Cloister.Serving.OpenInference;

/// <summary>An inference request of the Open Inference Protocol v2 (<c>$inference_request</c>), checked against its model.</summary>
internal sealed class InferRequest(ServedModel model) : IDisposable
{
    /// <summary>The caller's own identifier, given back in the answer.</summary>
    public string? Id { get; set; }

    /// <summary>How long the caller wants to wait.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>One tensor an input, in the model's order.</summary>
    public Tensor?[] Inputs { get; } = new Tensor?[model.Engine.Inputs.Count];

    /// <summary>The outputs to answer with; all, as they are, where the caller names none.</summary>
    public List<RequestedOutput> Outputs { get; } = [];

    public void Dispose()
    {
        foreach (Tensor? input in Inputs) input?.Dispose();
    }
}

/// <summary>One output that the caller asks for.</summary>
/// <param name="Index">Which of the model's outputs.</param>
/// <param name="Classes">The number of best classes to answer instead of the tensor; 0 for the tensor.</param>
internal readonly record struct RequestedOutput(int Index, int Classes);

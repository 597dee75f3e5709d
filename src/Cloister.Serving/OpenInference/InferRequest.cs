using Cloister.Serving.Engines;
using Cloister.Serving.Repository;

namespace Cloister.Serving.OpenInference;

/// <summary>An inference request of the Open Inference Protocol v2 (<c>$inference_request</c>, <c>ModelInferRequest</c>), checked against its model.</summary>
internal sealed class InferRequest(ServedModel model) : IDisposable
{
    /// <summary>The longest <see cref="Id"/>, in bytes of UTF-8.</summary>
    public const int MaximumIdBytes = 1024;

    public ServedModel Model { get; } = model;

    /// <summary>The caller's own identifier, given back in the answer.</summary>
    public string? Id { get; set; }

    /// <summary>How long the caller wants to wait.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>Whether outputs go as binary data where they do not say themselves.</summary>
    public bool BinaryOutputs { get; set; }

    /// <summary>Whether the answer says that it is the request's last; gRPC's streams only.</summary>
    public bool TellsFinal { get; set; }

    /// <summary>One tensor an input, in the model's order.</summary>
    public Tensor?[] Inputs { get; } = new Tensor?[model.Engine.Inputs.Count];

    /// <summary>The outputs to answer with; all, as they are, where the caller names none.</summary>
    public List<RequestedOutput> Outputs { get; } = [];

    /// <summary>The outputs to answer with, in the order of the answer.</summary>
    public IEnumerable<RequestedOutput> AnsweredOutputs =>
        Outputs.Count > 0 ? Outputs : Enumerable.Range(0, Model.Engine.Outputs.Count).Select(index => new RequestedOutput(index));

    /// <summary>Checks that every input has its tensor.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.MissingInput"/>.</exception>
    public void DemandInputs()
    {
        for (int i = 0; i < Inputs.Length; i++)
            if (Inputs[i] is null) throw Model.MissingInput(i);
    }

    public void Dispose()
    {
        foreach (Tensor? input in Inputs) input?.Dispose();
    }
}

/// <summary>One output that the caller asks for.</summary>
/// <param name="Index">Which of the model's outputs.</param>
/// <param name="Classes">The number of best classes to answer instead of the tensor; 0 for the tensor.</param>
/// <param name="Binary">Whether it goes as binary data; null where the caller does not say.</param>
internal readonly record struct RequestedOutput(int Index, int Classes = 0, bool? Binary = null);

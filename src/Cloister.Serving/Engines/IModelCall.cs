using Cloister.Serving.Execution;

namespace Cloister.Serving.Engines;

/// <summary>One run of a model.</summary>
internal interface IModelCall : IInference
{
    /// <summary>The outputs, for the caller to dispose; null unless the run has ended well.</summary>
    Tensor[]? Outputs { get; }
}

/// <summary>An engine whose runs can be made by another one, on whichever thread that chooses.</summary>
internal interface ICallableEngine : IModelEngine
{
    /// <summary>The queue of the model.</summary>
    Lane Lane { get; }

    /// <summary>A run over the inputs, which were checked.</summary>
    IModelCall Call(IReadOnlyList<Tensor> inputs);

    /// <summary>Checks tensors against the model's inputs.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.WrongShape"/> or <see cref="ServingError.WrongType"/>.</exception>
    void Demand(IReadOnlyList<Tensor> inputs);
}

using Cloister.Onnx.Runtime;

namespace Cloister.Serving.Engines;

/// <summary>Something that predicts. Surfaces and the repository know engines only by this.</summary>
public interface IModelEngine : IAsyncDisposable
{
    /// <summary>The platform's name in the Open Inference Protocol's model metadata, such as <c>onnx_onnxv1</c>.</summary>
    string Platform { get; }

    /// <summary>What the model reads; a dimension of -1 is the caller's to choose.</summary>
    IReadOnlyList<TensorInfo> Inputs { get; }

    /// <summary>What the model gives.</summary>
    IReadOnlyList<TensorInfo> Outputs { get; }

    /// <summary>
    /// Whether the size of an answer may follow from its shape alone: surfaces fill answers up, leave them uncompressed, and refuse forms
    /// whose size would follow from the values.
    /// </summary>
    bool AnswersInOneSize => false;

    /// <summary>Whether it could answer now: false while something that it needs outside of the server is not there. Health tells it; requests are taken nevertheless.</summary>
    bool IsReady => true;

    /// <summary>How busy it is; nothing where an engine has no queue.</summary>
    EngineLoad Load => default;

    /// <summary>Whether another request would be refused now: surfaces ask before they read a body.</summary>
    /// <param name="retryAfter">How long a caller should wait before it tries again.</param>
    bool IsOverloaded(out TimeSpan retryAfter);

    /// <summary>Predicts once.</summary>
    /// <param name="inputs">One tensor an input, in the order of <see cref="Inputs"/>; the caller keeps and disposes them.</param>
    /// <param name="timeout">How long the prediction may take, waiting included; none if infinite.</param>
    /// <param name="cancellation">Stops waiting and running.</param>
    /// <returns>One tensor an output, and how long it took; the caller disposes it.</returns>
    /// <exception cref="ServingException">
    /// <see cref="ServingError.WrongShape"/>, <see cref="ServingError.WrongType"/>, <see cref="ServingError.Overloaded"/>,
    /// <see cref="ServingError.DeadlineExceeded"/>, <see cref="ServingError.Cancelled"/>, <see cref="ServingError.Stopping"/> or
    /// <see cref="ServingError.EngineFailed"/>.
    /// </exception>
    Task<Prediction> PredictAsync(IReadOnlyList<Tensor> inputs, TimeSpan timeout, CancellationToken cancellation);
}

using System.Collections.Immutable;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Batching;
using Cloister.Serving.Engines;
using Cloister.Serving.Repository;

namespace Cloister.Serving.OpenInference;

/// <summary>A model as Triton's <c>ModelConfig</c> describes one, for REST and gRPC.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Platform">As in the metadata.</param>
/// <param name="Versions">The versions that answer.</param>
/// <param name="MaxBatchSize">The most items that are run at once; 0 where requests are not joined, and the dimensions are whole then.</param>
/// <param name="PreferredBatchSizes">The sizes that batches are filled up to.</param>
/// <param name="QueueDelay">How long a batch waits to be filled.</param>
/// <param name="Inputs">Without their first dimension where requests are joined.</param>
/// <param name="Outputs">As the inputs.</param>
internal sealed record ConfiguredModel(
    string Name, string Platform, ImmutableArray<long> Versions, int MaxBatchSize, ImmutableArray<long> PreferredBatchSizes, TimeSpan QueueDelay,
    ImmutableArray<ConfiguredTensor> Inputs, ImmutableArray<ConfiguredTensor> Outputs)
{
    /// <summary>Triton's name for what runs the model.</summary>
    public const string Backend = "onnxruntime";

    /// <summary>Describes a model.</summary>
    public static ConfiguredModel Of(ServedModel model, IEnumerable<long> versions)
    {
        BatchingOptions? batching = (model.Engine as BatchingEngine)?.Options;
        return new ConfiguredModel(
            model.Name, model.Engine.Platform, [.. versions], batching?.MaxBatchSize ?? 0,
            [.. batching?.AllowedBatchSizes.Select(size => (long)size) ?? []], batching?.BatchTimeout ?? TimeSpan.Zero,
            Tensors(model.Engine.Inputs, batching is not null), Tensors(model.Engine.Outputs, batching is not null));
    }

    private static ImmutableArray<ConfiguredTensor> Tensors(IEnumerable<TensorInfo> tensors, bool batched) =>
        [.. tensors.Select(tensor => new ConfiguredTensor(tensor.Name, DataTypeOf(tensor.Type), [.. tensor.Shape.Skip(batched ? 1 : 0)]))];

    private static string DataTypeOf(TensorElementType type) => type == TensorElementType.String ? "TYPE_STRING" : "TYPE_" + TensorTypes.OpenInference(type);
}

/// <summary>One input or output of a <see cref="ConfiguredModel"/>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DataType">Its element type, as Triton's <c>DataType</c> names it.</param>
/// <param name="Dims">Its dimensions; -1 is the caller's to choose.</param>
internal sealed record ConfiguredTensor(string Name, string DataType, ImmutableArray<long> Dims);

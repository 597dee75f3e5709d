using System.Buffers;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Repository;

namespace Cloister.Serving.Partitioned;

/// <summary>
/// The class mapping of a model in parts: its scores become the names of the best classes, inside, so that nobody outside learns which they are -
/// neither from what is sent nor, by any address or jump, from how long it takes.
/// </summary>
internal sealed class ClassMapping
{
    private readonly ObliviousLabels _labels;
    private readonly TensorPool _pool;
    private readonly int _classes, _count;

    private ClassMapping(ObliviousLabels labels, long items, int count, TensorPool pool)
    {
        (_labels, _pool, _classes, _count) = (labels, pool, labels.Count, count);
        Outputs = [new TensorInfo("labels", TensorElementType.String, [items, count]), new TensorInfo("scores", TensorElementType.Float, [items, count])];
    }

    /// <summary>What it gives: <c>labels</c>, BYTES [N, k], each filled up with spaces to one length, and <c>scores</c>, FP32 [N, k], best first.</summary>
    public IReadOnlyList<TensorInfo> Outputs { get; }

    /// <summary>Prepares the mapping of a model.</summary>
    /// <param name="outputs">What the model gives.</param>
    /// <param name="labels">The names of its classes.</param>
    /// <param name="topK">How many of the best are answered.</param>
    /// <param name="pool">Memory for scores.</param>
    /// <exception cref="ServingException"><see cref="ServingError.PartitionRefused"/>: the model does not give the scores of classes; or <see cref="ServingError.LabelsRefused"/>.</exception>
    public static ClassMapping Of(IReadOnlyList<TensorInfo> outputs, ModelLabels labels, int topK, TensorPool pool)
    {
        if (outputs is not [{ Type: TensorElementType.Float, Shape.Count: >= 2 } scores] || scores.Shape.Skip(1).Any(dimension => dimension < 1) || scores.Shape.Skip(2).Any(dimension => dimension != 1))
        {
            throw PartitionCheck.Refused(
                $"labels.txt names classes, for which the model must have one output of type Float and shape [N, classes]; it has {string.Join(", ", outputs)}. Seal it without labels, or let it end so");
        }
        int classes = checked((int)scores.Shape[1]);
        return new ClassMapping(new ObliviousLabels(labels, classes), scores.Shape[0], Math.Min(topK, classes), pool);
    }

    /// <summary>Names the best classes of every item; the caller keeps the scores, and disposes of the answer.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.EngineFailed"/>: the scores are not of so many classes.</exception>
    public Tensor[] Map(OrtTensor scores)
    {
        ReadOnlySpan<long> shape = scores.Shape;
        if (shape.Length < 2 || shape[1] != _classes || scores.ElementCount != shape[0] * _classes)
            throw new ServingException(ServingError.EngineFailed, "The model's scores are not of the classes that it says it has.");
        int items = checked((int)shape[0]);
        ReadOnlySpan<float> all = scores.Span<float>();
        string[] texts = new string[checked(items * _count)];
        var best = new Tensor(TensorElementType.Float, [items, _count], _pool.Rent(Math.Max(1, (long)texts.Length * sizeof(float))));
        Span<float> values = best.Elements<float>();
        long[] keys = ArrayPool<long>.Shared.Rent(_count);
        try
        {
            for (int item = 0; item < items; item++)
            {
                ObliviousTopK.Select(all.Slice(item * _classes, _classes), keys.AsSpan(0, _count));
                for (int place = 0; place < _count; place++)
                {
                    texts[item * _count + place] = _labels.Read(ObliviousTopK.IndexOf(keys[place]));
                    values[item * _count + place] = ObliviousTopK.ScoreOf(keys[place]);
                }
            }
        }
        finally
        {
            ArrayPool<long>.Shared.Return(keys, clearArray: true);
        }
        return [Tensor.FromTexts(texts, items, _count), best];
    }
}

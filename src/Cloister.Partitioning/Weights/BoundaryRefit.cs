using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Labels;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Weights;

/// <summary>
/// Fits a surrogate's FrontNet to the model's by what both give for the same pictures at the cut: whoever runs the part outside sees what
/// crosses for the pictures it sends in as a caller. Behind the fit, the weights outside go on as they do in the model.
/// </summary>
internal sealed class BoundaryRefit(WeightSettings settings, PictureSize size, Steps steps, CancellationToken cancellation)
{
    // One in five is held out.
    private const int Fewest = 10;

    /// <param name="model">The attacked model.</param>
    /// <param name="surrogate">What is put together of both.</param>
    /// <param name="cut">Where the part outside begins.</param>
    /// <param name="queries">Pictures as the attacked model reads them.</param>
    /// <param name="knownQueries">The same as the public FrontNet reads them.</param>
    /// <param name="knownTest">Pictures to answer, as the public FrontNet reads them.</param>
    public Refit Run(ModelProto model, ModelProto surrogate, Cut cut, IReadOnlyList<AssessedPicture> queries, IReadOnlyList<AssessedPicture> knownQueries, IReadOnlyList<AssessedPicture> knownTest)
    {
        if (queries.Count < Fewest)
            return Refit.Not($"{queries.Count} answered queries are too few to fit anything; {Fewest} are the least.");
        try
        {
            return Fitted(model, surrogate, cut, queries, knownQueries, knownTest);
        }
        catch (PartitioningException refusal) when (refusal.Error == PartitioningError.FeaturesRefused)
        {
            return Refit.Not($"No FrontNet could be fitted: {refusal.Message}");
        }
    }

    private Refit Fitted(ModelProto model, ModelProto surrogate, Cut cut, IReadOnlyList<AssessedPicture> queries, IReadOnlyList<AssessedPicture> knownQueries, IReadOnlyList<AssessedPicture> knownTest)
    {
        long[] shape = [1, size.Channels, size.Height, size.Width];
        ModelGraph graph = SurrogateModel.Read(surrogate, shape);
        ImmutableArray<long>[] shapes = [.. cut.Tensors.Select(tensor => graph.Values[tensor].Shape)];
        if (shapes.FirstOrDefault(tensor => BoundaryFit.Channels(tensor) > settings.MaximumChannels) is { IsDefault: false } wide)
            return Refit.Not($"A tensor of [{string.Join(", ", wide)}] has more channels than {settings.MaximumChannels}.");
        using TapSession front = TapSession.Open(surrogate, cut.Tensors, size);
        using var product = new MatrixProduct(settings.Threads);
        BoundaryFit[] fits = Fit(model, front, cut, shapes, queries, knownQueries, product);
        using OrtSession rest = OrtSession.FromMemory(GraphCutter.Split(graph, cut.Tensors).Back.ToBytes(), new OrtSessionOptions { Level = GraphOptimization.Basic });
        int[] order = [.. rest.Inputs.Select(input => cut.Tensors.IndexOf(input.Name))];
        float[][] answers = new float[knownTest.Count][];
        ParallelWork.For(knownTest.Count, settings.Threads, i =>
        {
            OrtTensor[] seen = front.Run(knownTest[i].Input), fitted = [.. order.Select(tensor => fits[tensor].Apply(seen[tensor], product))];
            var outputs = new OrtTensor?[rest.Outputs.Count];
            try
            {
                rest.Run(fitted, outputs);
            }
            finally
            {
                foreach (OrtTensor tensor in seen.Concat(fitted))
                    tensor.Dispose();
            }
            answers[i] = AnswerRuns.Take(outputs!);
            steps.Done(1);
        }, cancellation);
        return new Refit(AnswerRuns.First(answers), fits.Min(fit => fit.Explains), null);
    }

    private BoundaryFit[] Fit(ModelProto model, TapSession front, Cut cut, ImmutableArray<long>[] shapes, IReadOnlyList<AssessedPicture> queries, IReadOnlyList<AssessedPicture> knownQueries, MatrixProduct product)
    {
        using TapSession own = TapSession.Open(model, cut.Tensors, size);
        var rows = new (BoundaryRows From, BoundaryRows To)[queries.Count][];
        ParallelWork.For(queries.Count, settings.Threads, i =>
        {
            OrtTensor[] from = front.Run(knownQueries[i].Input), to = own.Run(queries[i].Input);
            rows[i] = new (BoundaryRows, BoundaryRows)[shapes.Length];
            for (int tensor = 0; tensor < shapes.Length; tensor++)
            {
                // Early layers have more places than can be kept of many pictures.
                int channels = BoundaryFit.Channels(shapes[tensor]), places = (int)(from[tensor].ElementCount / channels);
                int[] chosen = new SplitMix64(((long)settings.Seed << 32) + i).Choose(Math.Clamp(settings.MaximumRows / queries.Count, 1, places), places);
                rows[i][tensor] = (BoundaryRows.Of(from[tensor].Span<float>(), channels, chosen), BoundaryRows.Of(to[tensor].Span<float>(), channels, chosen));
                from[tensor].Dispose();
                to[tensor].Dispose();
            }
            steps.Done(2);
        }, cancellation);
        return [.. shapes.Select((shape, tensor) => BoundaryFit.Of(settings, [.. rows.Select(picture => picture[tensor])], BoundaryFit.Channels(shape), product, cancellation))];
    }
}

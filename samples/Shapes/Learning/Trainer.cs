using Cloister.Onnx.Pictures;
using Cloister.Samples.Shapes.Drawing;

namespace Cloister.Samples.Shapes.Learning;

/// <summary>
/// Trains on drawings that are made as they are needed and never seen twice. A batch is cut into shards of fixed size whose gradients
/// are added in fixed order, so that the number of threads changes the time and nothing else.
/// </summary>
internal sealed class Trainer
{
    public const ulong Seed = 20250801, HeldOutSeed = 77;
    public const int HeldOut = 2000;
    private const int Steps = 1500, Shards = 4, ShardSize = 8, Batch = Shards * ShardSize, WarmUp = 60;
    private const double Rate = 0.003;

    private readonly Network _network = new();
    private readonly (Activations Activations, float[] Gradient)[] _shards;
    private readonly Adam _adam;

    private Trainer()
    {
        _shards = [.. Enumerable.Range(0, Shards).Select(_ => (new Activations(_network), new float[_network.Parameters.Length]))];
        _adam = new Adam(_network.Parameters.Length);
    }

    /// <summary>Trains from the fixed seed.</summary>
    public static Network Train(Action<int, int>? progress, CancellationToken cancellation)
    {
        var trainer = new Trainer();
        trainer._network.Initialize(Seed);
        for (int step = 0; step < Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            trainer.Step(step);
            progress?.Invoke(step + 1, Steps);
        }

        return trainer._network;
    }

    /// <summary>How many of the held-out drawings the network names rightly.</summary>
    public static int CountCorrect(Network network)
    {
        int correct = 0;
        Parallel.For(0, Shards, shard =>
        {
            var activations = new Activations(network);
            int mine = 0;
            for (int index = shard; index < HeldOut; index += Shards)
            {
                activations.Forward(ShapeDrawing.Draw(HeldOutSeed, index));
                if (activations.Best == ShapeDrawing.LabelOf(index))
                    mine++;
            }

            Interlocked.Add(ref correct, mine);
        });
        return correct;
    }

    private void Step(int step)
    {
        Parallel.For(0, Shards, shard =>
        {
            (Activations activations, float[] gradient) = _shards[shard];
            Array.Clear(gradient);
            for (int i = 0; i < ShardSize; i++)
            {
                int index = step * Batch + shard * ShardSize + i;
                Picture picture = ShapeDrawing.Draw(Seed, index);
                activations.Forward(picture);
                activations.Backward(ShapeDrawing.LabelOf(index), gradient);
            }
        });

        float[] total = _shards[0].Gradient;
        for (int i = 0; i < total.Length; i++)
        {
            float sum = total[i];
            for (int shard = 1; shard < Shards; shard++)
                sum += _shards[shard].Gradient[i];
            total[i] = sum / Batch;
        }

        _adam.Step(_network.Parameters, total, RateAt(step));
    }

    /// <summary>Up in a straight line, then down to nothing.</summary>
    private static double RateAt(int step) =>
        step < WarmUp ? Rate * (step + 1) / WarmUp : Rate * (Steps - step) / (Steps - WarmUp);
}

using System.Collections.Immutable;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner.Wire;

namespace Cloister.Partitioning.Runner;

/// <summary>What a few runs inside tell of a BackNet: the shapes of its outputs, and whether items of a batch keep to themselves.</summary>
internal sealed class BackNetProbe
{
    private const int Seed = 20;
    private const double Tolerance = 1e-3; // of the largest value: other batch sizes take other kernels

    private readonly OrtSession _session;

    private BackNetProbe(OrtSession session, ImmutableArray<BatchedShape> inputs) => (_session, Inputs) = (session, inputs);

    public ImmutableArray<BatchedShape> Inputs { get; private set; }

    public ImmutableArray<BatchedShape> Outputs { get; private set; }

    public bool TakesBatches { get; private set; }

    public bool CanJoin { get; private set; }

    public ImmutableArray<bool> NotFinite { get; private set; }

    public static BackNetProbe Of(OrtSession session, IReadOnlyDictionary<string, long[]>? itemShapes)
    {
        foreach (TensorInfo tensor in session.Inputs.Concat(session.Outputs))
        {
            if (!TensorValues.CanCross(tensor.Type))
                throw Refuse($"'{tensor.Name}' has elements of type {tensor.Type}, which do not cross to an accelerator.");
        }
        var probe = new BackNetProbe(session, [.. session.Inputs.Select(input => InputShape(input, itemShapes))]);
        probe.Measure();
        foreach (BatchedShape shape in probe.Inputs.Concat(probe.Outputs))
        {
            if (shape.For(1) is var one && (one.Length > TensorHeads.MaximumRank || one.Any(dimension => dimension < 1)))
                throw Refuse($"A tensor of shape [{string.Join(",", one)}] does not cross: it has at most {TensorHeads.MaximumRank} dimensions, none of them 0.");
        }
        return probe;
    }

    private static BatchedShape InputShape(TensorInfo input, IReadOnlyDictionary<string, long[]>? itemShapes)
    {
        long[] one = [.. input.Shape.Select((dimension, at) => at == 0 && dimension < 0 ? 1 : dimension)];
        if (itemShapes?.TryGetValue(input.Name, out long[]? given) == true)
        {
            if (given.Length != one.Length || one.Length == 0 || given.Zip(input.Shape).Skip(1).Any(pair => pair.First < 1 || (pair.Second >= 0 && pair.First != pair.Second)))
                throw Refuse($"[{string.Join(",", given)}] was given as the shape of one item, which does not fit {input}.");
            one = [one[0], .. given.Skip(1)];
        }
        if (one.Any(dimension => dimension < 0))
            throw Refuse($"{input} has a free dimension besides the first; give the shape of one item.");
        return input.Shape is [< 0, ..] && one[0] == 1 ? BatchedShape.ByItem(one) : BatchedShape.Fixed(one);
    }

    private void Measure()
    {
        OrtTensor[] first = Random(Seed), second = Random(Seed + 1), zeros = Random(null);
        var made = new List<OrtTensor>([.. first, .. second, .. zeros]);
        try
        {
            OrtTensor[] one = Run(first, made), nothing = Run(zeros, made);
            // Whatever it is given: what only some inputs make of it is judged when it comes.
            NotFinite = [.. nothing.Zip(one, (a, b) => !TensorValues.AreSound(a.Type, a.Bytes) && !TensorValues.AreSound(b.Type, b.Bytes))];
            Outputs = [.. one.Select(output => BatchedShape.Fixed(output.Shape.ToArray()))];
            if (Inputs.All(input => input.IsFixed))
                return;

            OrtTensor[] both = [.. first.Select((tensor, input) => Join(tensor, second[input], input))];
            made.AddRange(both);
            OrtTensor[] two;
            try
            {
                two = Run(both, made);
            }
            catch (OnnxRuntimeException)
            {
                // The graph holds a size of one item somewhere: only single items go.
                Inputs = [.. Inputs.Select(input => BatchedShape.Fixed(input.For(1)))];
                return;
            }
            TakesBatches = true;
            Outputs = [.. one.Zip(two, (a, b) => BatchedShape.Between(a.Shape, b.Shape) ?? throw Refuse(
                $"An output has shape [{string.Join(",", a.Shape.ToArray())}] for one item and [{string.Join(",", b.Shape.ToArray())}] for two: its size cannot be known before it comes."))];
            CanJoin = Inputs.All(shape => shape.CountsItemsFirst) && Outputs.All(shape => shape.CountsItemsFirst)
                && KeepApart(one, Run(second, made), two);
        }
        finally
        {
            foreach (OrtTensor tensor in made) tensor.Dispose();
        }
    }

    private static bool KeepApart(OrtTensor[] first, OrtTensor[] second, OrtTensor[] both)
    {
        for (int i = 0; i < both.Length; i++)
        {
            Span<byte> joined = both[i].Bytes;
            int half = joined.Length / 2;
            if (!TensorValues.AreNear(both[i].Type, first[i].Bytes, joined[..half], Tolerance) || !TensorValues.AreNear(both[i].Type, second[i].Bytes, joined[half..], Tolerance))
                return false;
        }
        return true;
    }

    private OrtTensor[] Run(OrtTensor[] inputs, List<OrtTensor> made)
    {
        var outputs = new OrtTensor?[_session.Outputs.Count];
        _session.Run(inputs, outputs);
        made.AddRange(outputs!);
        return outputs!;
    }

    private OrtTensor[] Random(int? seed)
    {
        Random? random = seed is { } given ? new Random(given) : null;
        return [.. _session.Inputs.Zip(Inputs, (input, shape) =>
        {
            OrtTensor tensor = OrtTensor.Allocate(input.Type, shape.For(1));
            if (random is not null) TensorValues.Fill(tensor.Type, tensor.Bytes, random);
            return tensor;
        })];
    }

    private OrtTensor Join(OrtTensor first, OrtTensor second, int input)
    {
        OrtTensor both = OrtTensor.Allocate(first.Type, Inputs[input].For(2));
        first.Bytes.CopyTo(both.Bytes);
        if (!Inputs[input].IsFixed) second.Bytes.CopyTo(both.Bytes[first.Bytes.Length..]);
        return both;
    }

    private static PartitioningException Refuse(string why) => new(PartitioningError.BackNetRefused, why);
}

using System.Collections.Immutable;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Tokens;

/// <summary>Gives what somebody outside sees of a text: a row of numbers a position, or one row of the whole text.</summary>
internal abstract class TokenSource : IDisposable
{
    public abstract ImmutableArray<string> Tensors { get; }

    /// <summary>Tokens a text.</summary>
    public abstract int Length { get; }

    /// <summary>Numbers a row.</summary>
    public abstract int Numbers { get; }

    /// <summary>Whether there is one row a text and not one a position.</summary>
    public virtual bool Pooled => false;

    /// <summary>Gives the rows of a text, one after the other.</summary>
    public abstract float[] Read(int[] tokens);

    /// <inheritdoc/>
    public virtual void Dispose() { }
}

/// <summary>The tensors of a cut.</summary>
internal sealed class CutSource : TokenSource
{
    private readonly OrtSession _session;
    private readonly bool _wide;
    private readonly (int Outer, int Inner)?[] _positions;

    private CutSource(OrtSession session, bool wide, ImmutableArray<string> tensors, int length)
    {
        (_session, _wide, Tensors, Length) = (session, wide, tensors, length);
        long[][] shapes = Shapes(length);
        // Where the model takes any number of tokens, an axis of positions is one that grows with them.
        long[][]? longer = session.Inputs[0].Shape[1] < 0 ? Shapes(length + 1) : null;
        _positions = [.. shapes.Select((shape, tensor) => Axis(shape, longer?[tensor]))];
        Pooled = Array.TrueForAll(_positions, position => position is null);
        long numbers = 0;
        for (int i = 0; i < shapes.Length; i++)
            numbers += Pooled ? shapes[i].Aggregate(1L, (product, dimension) => product * dimension) : _positions[i] is { } axis ? (long)axis.Outer * axis.Inner : 0;
        if (numbers is <= 0 or > 1 << 24)
            throw new PartitioningException(PartitioningError.CutRefused, $"The tensors hold {numbers} numbers a text or token; nothing can be fitted to that.");
        Numbers = (int)numbers;
    }

    public override ImmutableArray<string> Tensors { get; }

    public override int Length { get; }

    public override int Numbers { get; }

    public override bool Pooled { get; }

    public static CutSource Open(ModelProto model, ImmutableArray<string> tensors, TokenSettings settings)
    {
        if (tensors.IsDefaultOrEmpty)
            throw new ArgumentException("A cut has at least one tensor.", nameof(tensors));
        OrtSession session = OrtSession.FromMemory(TapSession.WithOutputs(model, tensors).ToBytes(), new OrtSessionOptions { IntraThreads = settings.Threads, Level = GraphOptimization.Basic });
        try
        {
            if (session.Inputs is not [{ Type: TensorElementType.Int32 or TensorElementType.Int64, Shape.Count: 2 } input])
                throw new PartitioningException(PartitioningError.ModelRefused, "The model must have one input of token ids, [texts, tokens] of 32-bit or 64-bit integers.");
            for (int i = 0; i < tensors.Length; i++)
                if (session.Outputs[i].Type != TensorElementType.Float)
                    throw new PartitioningException(PartitioningError.CutRefused, $"'{tensors[i]}' has elements of type {session.Outputs[i].Type}; only 32-bit floats can be assessed.");
            return new CutSource(session, input.Type == TensorElementType.Int64, tensors, input.Shape[1] > 0 ? checked((int)input.Shape[1]) : settings.Length);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    public override float[] Read(int[] tokens)
    {
        OrtTensor[] seen = Run(tokens);
        try
        {
            if (Pooled)
                return [.. seen.SelectMany(tensor => tensor.Span<float>().ToArray())];
            float[] rows = new float[Length * Numbers];
            for (int i = 0, start = 0; i < seen.Length; i++)
            {
                if (_positions[i] is not { } axis)
                    continue;
                ReadOnlySpan<float> values = seen[i].Span<float>();
                for (int outer = 0; outer < axis.Outer; outer++, start += axis.Inner)
                    for (int position = 0; position < Length; position++)
                        values.Slice((outer * Length + position) * axis.Inner, axis.Inner).CopyTo(rows.AsSpan(position * Numbers + start));
            }
            return rows;
        }
        finally
        {
            foreach (OrtTensor tensor in seen)
                tensor.Dispose();
        }
    }

    public override void Dispose()
    {
        _session.Dispose();
        base.Dispose();
    }

    private (int Outer, int Inner)? Axis(long[] shape, long[]? longer)
    {
        for (int axis = 1; axis < shape.Length; axis++)
            if (shape[axis] == Length && (longer is null || longer.Length == shape.Length && longer[axis] == Length + 1))
                return (checked((int)shape[..axis].Aggregate(1L, (product, dimension) => product * dimension)), checked((int)shape[(axis + 1)..].Aggregate(1L, (product, dimension) => product * dimension)));
        return null;
    }

    private long[][] Shapes(int length)
    {
        OrtTensor[] seen = Run(new int[length]);
        long[][] shapes = [.. seen.Select(tensor => tensor.Shape.ToArray())];
        foreach (OrtTensor tensor in seen)
            tensor.Dispose();
        return shapes;
    }

    private OrtTensor[] Run(int[] tokens)
    {
        using OrtTensor input = _wide
            ? OrtTensor.OverPinned(tokens.Select(token => (long)token).ToArray().AsMemory(), [1, tokens.Length])
            : OrtTensor.OverPinned(tokens.AsMemory(), [1, tokens.Length]);
        var outputs = new OrtTensor?[_session.Outputs.Count];
        _session.Run([input], outputs);
        return outputs!;
    }
}

/// <summary>For the calibration: each token's own row of the table, or noise that has nothing to do with it.</summary>
internal sealed class ConstructedSource(TokenTable table, int length, int? noiseSeed) : TokenSource
{
    private SplitMix64 _random = new(noiseSeed ?? 0);

    public override ImmutableArray<string> Tensors => [noiseSeed is null ? "tokens" : "noise"];

    public override int Length => length;

    public override int Numbers => table.Width;

    public override float[] Read(int[] tokens)
    {
        float[] rows = new float[tokens.Length * table.Width];
        for (int i = 0; i < tokens.Length; i++)
            table[tokens[i]].CopyTo(rows.AsSpan(i * table.Width));
        for (int i = 0; noiseSeed is not null && i < rows.Length; i++)
            rows[i] = (float)_random.Gauss();
        return rows;
    }
}

using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Tests.Inversion;

/// <summary>Smooth random pictures and models of a few nodes, for cases that no real network gives.</summary>
internal static class SyntheticPictures
{
    public static PictureSize Size => new(3, 12, 16);

    public static AssessedPicture[] Make(int count, int seed, PictureSize? other = null)
    {
        PictureSize size = other ?? Size;
        var random = new SplitMix64(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            double[] phases = [.. Enumerable.Range(0, 3 * size.Channels).Select(_ => 6 * random.Uniform())];
            float[] pixels = [.. Enumerable.Range(0, size.Elements).Select(p =>
            {
                (int channel, int y, int x) = (p / (size.Height * size.Width), p / size.Width % size.Height, p % size.Width);
                return (float)(0.5 + 0.25 * Math.Sin(phases[channel] + 0.3 * x) + 0.24 * Math.Cos(phases[channel + size.Channels] + 0.4 * y));
            })];
            return new AssessedPicture($"{seed}/{i}", [.. pixels.Select(pixel => 2 * pixel - 1)], pixels);
        })];
    }

    /// <summary>A model whose input is "input"; the nodes make the rest.</summary>
    public static ModelProto Model(ImmutableArray<NodeProto> nodes, params ReadOnlySpan<TensorProto> weights) => new()
    {
        IrVersion = 8,
        OpsetImport = [new OperatorSetIdProto { Version = 13 }],
        Graph = new GraphProto
        {
            Name = "synthetic",
            Nodes = nodes,
            Initializers = [.. weights],
            Inputs = [ValueInfoProto.Tensor("input", TensorDataType.Float, "N", Size.Channels, Size.Height, Size.Width)],
            Outputs = [new ValueInfoProto { Name = nodes[^1].Outputs[0] }],
        },
    };

    public static NodeProto Node(string type, string output, ImmutableArray<string> inputs, params ReadOnlySpan<AttributeProto> attributes) =>
        new() { OpType = type, Inputs = inputs, Outputs = [output], Attributes = [.. attributes] };

    public static Cut Cut(params ReadOnlySpan<string> tensors) => new()
    {
        Tensors = [.. tensors],
        Shapes = [],
        NodesBefore = 0,
        MacsBefore = 0,
        MacsWhole = 0,
        WeightBytesBefore = 0,
        WeightBytesAfter = 0,
        BoundaryBytes = 0,
        KeepsBits = true,
    };
}

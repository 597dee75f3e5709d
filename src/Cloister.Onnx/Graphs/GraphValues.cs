using System.Collections.Frozen;
using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>Puts together what the structure and the run tell of every value.</summary>
internal static class GraphValues
{
    public static FrozenDictionary<string, GraphValue> Of(GraphStructure structure, MeasuredValues measured)
    {
        HashSet<string> shown = ShownInputs.Find(structure, measured);
        var outputs = structure.Model.Graph.Outputs.Select(output => output.Name).ToHashSet(StringComparer.Ordinal);
        return structure.Names.Select(name =>
        {
            MeasuredValue value = measured.Values[name];
            return new GraphValue
            {
                Name = name,
                Type = value.Type,
                Shape = value.One,
                ShapeOfTwo = value.Two,
                Dimensions = Dimensions(value, measured.Batch),
                BatchFirst = value.One is [1, ..] && value.Two[0] == 2 && value.One.AsSpan()[1..].SequenceEqual(value.Two.AsSpan()[1..]),
                Producer = structure.Producer(name),
                Consumers = [.. structure.Consumers(name)],
                DependsOnInput = structure.Depends(name),
                IsOutput = outputs.Contains(name),
                ShowsInput = shown.Contains(name),
            };
        }).ToFrozenDictionary(value => value.Name, StringComparer.Ordinal);
    }

    private static ImmutableArray<Dimension> Dimensions(MeasuredValue value, string? batch)
    {
        var dimensions = ImmutableArray.CreateBuilder<Dimension>(value.One.Length);
        for (int i = 0; i < value.One.Length; i++)
            dimensions.Add(
                value.One[i] == value.Two[i] ? Dimension.FromInt64(value.One[i])
                : value.One[i] == 1 && value.Two[i] == 2 ? Dimension.FromString(batch!)
                : new Dimension());
        return dimensions.MoveToImmutable();
    }
}

using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Heuristic;

/// <summary>The feature maps of a layer that are looked at: where each lies in the tensors that cross a cut.</summary>
internal sealed class FeatureMaps
{
    private readonly Place[] _chosen;

    private FeatureMaps(Place[] chosen, int total) => (_chosen, Total) = (chosen, total);

    /// <summary>Maps that cross the cut.</summary>
    public int Total { get; }

    /// <summary>Maps that are looked at.</summary>
    public int Count => _chosen.Length;

    /// <summary>Rows of the chosen map.</summary>
    public int Rows(int map) => _chosen[map].Rows;

    /// <summary>Columns of the chosen map.</summary>
    public int Columns(int map) => _chosen[map].Columns;

    /// <summary>The values of the chosen map, row by row.</summary>
    public ReadOnlySpan<float> Values(ReadOnlySpan<OrtTensor> tensors, int map)
    {
        Place place = _chosen[map];
        return tensors[place.Tensor].Span<float>().Slice(place.Index * place.Rows * place.Columns, place.Rows * place.Columns);
    }

    /// <summary>Chooses maps, the same for every picture; all of them if there are no more than asked for.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.CutRefused"/>: a tensor is of no shape that has maps.</exception>
    public static FeatureMaps Choose(ReadOnlySpan<OrtTensor> tensors, int maximum, int seed)
    {
        var places = new List<Place>();
        for (int tensor = 0; tensor < tensors.Length; tensor++)
        {
            (int maps, int rows, int columns) = MapsOf(tensors[tensor].Shape);
            for (int map = 0; map < maps; map++)
                places.Add(new Place(tensor, map, rows, columns));
        }
        Place[] all = [.. places];
        return new FeatureMaps([.. new SplitMix64(seed).Choose(maximum, all.Length).Select(i => all[i])], all.Length);
    }

    // A layer of [1, C, H, W] has C maps. What has no places is drawn as one: the C values of a vector as a row, a matrix as it stands.
    private static (int Maps, int Rows, int Columns) MapsOf(ReadOnlySpan<long> shape) => shape switch
    {
        [1, var values] => (1, 1, checked((int)values)),
        [1, var values, 1, 1] => (1, 1, checked((int)values)),
        [1, var rows, var columns] => (1, checked((int)rows), checked((int)columns)),
        [1, var maps, var rows, var columns] => (checked((int)maps), checked((int)rows), checked((int)columns)),
        _ => throw new PartitioningException(PartitioningError.CutRefused, $"A tensor of [{string.Join(", ", shape.ToArray())}] has no feature maps to look at."),
    };

    private readonly record struct Place(int Tensor, int Index, int Rows, int Columns);
}

using Cloister.Homomorphic.Models;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>What a name in the graph stands for, as far as linear models and forests need to know.</summary>
internal abstract record GraphValue;

/// <summary>A constant.</summary>
internal sealed record ConstantValue(TensorProto Tensor) : GraphValue;

/// <summary>Columns that are each made of one feature.</summary>
/// <param name="Columns">Null where the graph does not say how many features its input has: then column i is feature i.</param>
/// <param name="Double">Whether they are binary64: then comparisons round nothing.</param>
internal sealed record ColumnsValue(Column[]? Columns, bool Double) : GraphValue;

/// <summary>Scores, or what a link made of them.</summary>
/// <param name="Model">The scores; its features are named later.</param>
internal sealed record ScoresValue(PlainModel Model) : GraphValue;

/// <summary>The class that a model chose, as a number or text.</summary>
internal sealed record LabelValue(PlainModel Model) : GraphValue;

/// <summary>Scale times a feature plus an offset.</summary>
/// <param name="Feature">The feature's place in a row.</param>
/// <param name="Scale">Not zero.</param>
/// <param name="Offset">Added after scaling.</param>
/// <param name="Absent">What the whole column is where the feature is absent; NaN where nothing takes its place.</param>
internal sealed record Column(int Feature, double Scale = 1, double Offset = 0, double Absent = double.NaN)
{
    /// <summary>The columns 0 to <paramref name="count"/> - 1 as they are.</summary>
    public static Column[] Plain(int count) => [.. Enumerable.Range(0, count).Select(i => new Column(i))];

    /// <summary>Scaled and moved once more.</summary>
    public Column Then(double scale, double offset) =>
        this with { Scale = Scale * scale, Offset = Offset * scale + offset, Absent = Absent * scale + offset };
}

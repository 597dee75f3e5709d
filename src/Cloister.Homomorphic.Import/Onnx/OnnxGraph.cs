using Cloister.Homomorphic.Models;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>What is known of a graph's values while its nodes are read in order.</summary>
internal sealed class OnnxGraph(ImportOptions options)
{
    private const int MaxWeights = 1 << 24;

    private const int ColumnCost = 4;

    // Columns, weights and leaves' numbers that all nodes together may make. A node costs a few bytes of a file and may make a whole
    // row of columns anew.
    private const long MaxMade = 1 << 26;

    private readonly Dictionary<string, GraphValue> _values = new(StringComparer.Ordinal);

    private long _made;

    public ImportOptions Options => options;

    /// <summary>How many features a row has; zero while the graph has not said so.</summary>
    public int Features { get; set; }

    /// <summary>Counts what a node makes, before it is made.</summary>
    public void Spend(NodeProto node, long numbers)
    {
        if ((_made += numbers) > MaxMade) throw OnnxNodes.Refuse(node, ImportError.TooLarge, $"takes the graph beyond {MaxMade} columns and weights");
    }

    /// <summary>Names a value.</summary>
    public void Define(string name, GraphValue value)
    {
        if (!_values.TryAdd(name, value)) throw new ImportException(ImportError.BrokenGraph, $"The graph makes '{name}' twice.");
    }

    /// <summary>What a name stands for.</summary>
    public GraphValue Find(string name) =>
        _values.TryGetValue(name, out GraphValue? value)
            ? value
            : throw new ImportException(ImportError.BrokenGraph, $"The graph uses '{name}' before anything makes it.");

    /// <summary>Whether a node has an input at this place.</summary>
    public static bool Has(NodeProto node, int input) => input < node.Inputs.Length && node.Inputs[input].Length > 0;

    public GraphValue Input(NodeProto node, int input) =>
        Has(node, input) ? Find(node.Inputs[input]) : throw OnnxNodes.Refuse(node, ImportError.BrokenGraph, $"has no input {input}");

    public TensorNumbers Constant(NodeProto node, int input)
    {
        if (Input(node, input) is not ConstantValue constant)
            throw OnnxNodes.Refuse(node, ImportError.Unsupported, $"computes its input {input}; weights must be constants");
        TensorNumbers numbers = TensorNumbers.Read(constant.Tensor);
        return numbers.Values.All(double.IsFinite)
            ? numbers
            : throw OnnxNodes.Refuse(node, ImportError.NotFinite, $"has a number in its input {input} that is not finite");
    }

    /// <summary>The columns that a node reads.</summary>
    /// <param name="node">The node.</param>
    /// <param name="width">How many it must be; zero for as many as there are.</param>
    public Column[] Columns(NodeProto node, int width)
    {
        if (Input(node, 0) is not ColumnsValue value)
            throw OnnxNodes.Refuse(node, ImportError.Unsupported, "reads what is no feature any more; layers behind layers are no linear model and no forest");
        Column[] columns = value.Columns ?? Column.Plain(Widen(node, width));
        Spend(node, ColumnCost * columns.Length); // whoever reads columns makes as many
        return width == 0 || columns.Length == width
            ? columns
            : throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, $"is made for {width} columns and reads {columns.Length}");
    }

    /// <summary>Whether a node's columns are binary64.</summary>
    public bool ReadsDouble(NodeProto node) => Input(node, 0) is ColumnsValue { Double: true };

    /// <summary>Scores to which no link was applied yet.</summary>
    public PlainModel RawScores(NodeProto node)
    {
        PlainModel model = Scores(node);
        return model.Link == LinkFunction.Identity
            ? model
            : throw OnnxNodes.Refuse(node, ImportError.Unsupported, $"changes what {model.Link} gave; the client can apply one link only");
    }

    /// <summary>Scores, with or without a link.</summary>
    public PlainModel Scores(NodeProto node) =>
        Input(node, 0) is ScoresValue value
            ? value.Model
            : throw OnnxNodes.Refuse(node, ImportError.Unsupported, "does not read scores; only linear models and forests are read");

    /// <summary>Names what a node makes; an output that is left out is not named.</summary>
    public void Give(NodeProto node, int output, GraphValue value)
    {
        if (output < node.Outputs.Length && node.Outputs[output].Length > 0) Define(node.Outputs[output], value);
    }

    /// <summary>Refuses numbers of scores and weights that no design on ciphertexts holds, before they are allocated.</summary>
    public void CheckSize(NodeProto node, int scores)
    {
        if (scores < 1 || scores > options.MaxScores) throw OnnxNodes.Refuse(node, ImportError.TooLarge, $"makes {scores} scores; 1 to {options.MaxScores} are read");
        Spend(node, (long)scores * Features);
        if ((long)scores * Features > MaxWeights) throw OnnxNodes.Refuse(node, ImportError.TooLarge, $"makes {scores} scores of {Features} features");
    }

    private int Widen(NodeProto node, int width)
    {
        if (Features == 0) Features = width;
        if (Features > options.MaxFeatures) throw OnnxNodes.Refuse(node, ImportError.TooLarge, $"reads {Features} features, more than {options.MaxFeatures}");
        return Features > 0
            ? Features
            : throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, "reads an input of unknown width; give the names of the features");
    }
}

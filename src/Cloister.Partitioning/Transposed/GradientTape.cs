using System.Collections.Immutable;
using Cloister.Onnx.Model;
using Cloister.Partitioning.Transposed.Rules;

namespace Cloister.Partitioning.Transposed;

/// <summary>A graph while its gradient is written behind it. Rules read a node's upstream gradients and give gradients to its inputs.</summary>
internal sealed class GradientTape
{
    private readonly ModelProto _model;
    private readonly List<NodeProto> _forward, _backward = [];
    private readonly List<TensorProto> _constants;
    private readonly Dictionary<string, TensorProto> _known;
    private readonly Dictionary<string, string> _gradients = [];
    private readonly IReadOnlyDictionary<string, ValueShape> _values;
    private readonly HashSet<string> _active;
    private int _names;

    private GradientTape(ModelProto model, IReadOnlyDictionary<string, ValueShape> values)
    {
        (_model, _values) = (model, values);
        _forward = [.. model.Graph.Nodes];
        _constants = [.. model.Graph.Initializers];
        _known = ModelConstants.Of(model.Graph);
        _active = Active(model.Graph, values);
        Outputs = [.. model.Graph.Outputs.Select(output => output.Name)];
    }

    /// <summary>Names of the graph's outputs.</summary>
    public ImmutableArray<string> Outputs { get; }

    public static GradientTape Over(ModelProto front, IReadOnlyDictionary<string, long[]>? inputShapes)
    {
        ModelProto model = OpsetRaise.Apply(WideModel.Of(front));
        if (model.Graph.Inputs.IsEmpty || model.Graph.Outputs.IsEmpty)
            throw Refused("The graph has no inputs or no outputs.");
        var tape = new GradientTape(model, ValueProbe.Run(model, inputShapes));
        return tape.Outputs.FirstOrDefault(tensor => !tape.Wants(tensor)) is { } idle
            ? throw Refused($"'{idle}' does not depend on an input by 32-bit floats, so that it has no gradient.")
            : tape;
    }

    public static PartitioningException Refused(string message) => new(PartitioningError.GradientRefused, message);

    /// <summary>Whether a value depends on an input by floats.</summary>
    public bool Wants(string value) => _active.Contains(value);

    /// <summary>The gradient that reached a value, or null.</summary>
    public string? Gradient(string value) => _gradients.GetValueOrDefault(value);

    /// <summary>The shape of a forward value.</summary>
    public ImmutableArray<long> Shape(string value) => _values[value].Shape;

    /// <summary>Whether a forward value is of 32-bit floats.</summary>
    public bool IsFloat(string value) => _values[value].IsFloat;

    /// <summary>A constant that the graph holds, or null where the value is computed.</summary>
    public TensorProto? Known(string value) => _known.GetValueOrDefault(value);

    /// <summary>Adds a gradient to a value's; ignored where the value does not depend on an input.</summary>
    public void Give(string value, string gradient)
    {
        if (Wants(value))
            _gradients[value] = Gradient(value) is { } before ? Node("Add", [before, gradient]) : gradient;
    }

    /// <summary>As <see cref="Give"/>, for a gradient of a shape that the value was broadcast to.</summary>
    public void GiveSummed(string value, string gradient, ImmutableArray<long> from)
    {
        if (!Wants(value))
            return;
        ImmutableArray<long> to = Shape(value);
        int lead = from.Length - to.Length;
        long[] axes = [.. Enumerable.Range(0, from.Length).Where(i => i < lead || to[i - lead] == 1 && from[i] != 1).Select(i => (long)i)];
        if (axes.Length > 0)
            gradient = Reshape(Node("ReduceSum", [gradient, Integers(axes)]), to);
        Give(value, gradient);
    }

    /// <summary>Appends a node of one output and gives the output's name.</summary>
    public string Node(string type, ReadOnlySpan<string> inputs, params ReadOnlySpan<AttributeProto> attributes) => Nodes(type, inputs, 1, attributes)[0];

    /// <summary>Appends a node and gives its outputs' names.</summary>
    public string[] Nodes(string type, ReadOnlySpan<string> inputs, int outputs, ReadOnlySpan<AttributeProto> attributes)
    {
        string[] names = [.. Enumerable.Range(0, outputs).Select(_ => Fresh())];
        _backward.Add(new NodeProto { OpType = type, Name = names[0], Inputs = [.. inputs], Outputs = [.. names], Attributes = [.. attributes] });
        return names;
    }

    public string Number(float value) => Constant([], [value]);

    public string Constant(ReadOnlySpan<long> shape, ReadOnlySpan<float> values)
    {
        _constants.Add(TensorProto.Of(Fresh(), shape, values));
        return _constants[^1].Name;
    }

    public string Integers(params ReadOnlySpan<long> values) => Integers([values.Length], values);

    public string Integers(ReadOnlySpan<long> shape, ReadOnlySpan<long> values)
    {
        _constants.Add(TensorProto.Of(Fresh(), shape, values));
        return _constants[^1].Name;
    }

    public string Reshape(string value, ImmutableArray<long> shape) => Node("Reshape", [value, Integers(shape.AsSpan())]);

    /// <summary>1 where a condition of two values holds, else 0.</summary>
    public string Mask(string comparison, string left, string right) =>
        Node("Cast", [Node(comparison, [left, right])], AttributeProto.Of("to", (long)TensorDataType.Float));

    /// <summary>Adds the elements of a gradient up at flat places of a tensor of zeros.</summary>
    public string Scatter(string gradient, string places, ImmutableArray<long> shape)
    {
        long count = shape.Aggregate(1L, (product, dimension) => product * dimension);
        string zeros = Node("ConstantOfShape", [Integers(count)]);
        string sums = Node("ScatterElements", [zeros, Reshape(places, [-1]), Reshape(gradient, [-1])], AttributeProto.Of("axis", 0L), AttributeProto.Of("reduction", "add"));
        return Reshape(sums, shape);
    }

    /// <summary>Gives a value of the backward part the name of an output.</summary>
    public void Name(string value, string name) =>
        _backward.Add(new NodeProto { OpType = "Identity", Name = name, Inputs = [value], Outputs = [name] });

    /// <summary>Makes a forward node give one more output.</summary>
    public string Extend(NodeProto node)
    {
        string name = Fresh();
        int place = _forward.FindIndex(other => other.Outputs == node.Outputs);
        _forward[place] = node with { Outputs = [.. node.Outputs, name] };
        return name;
    }

    /// <summary>Walks from the last node to the first and gives each node's inputs their gradients.</summary>
    public void Unwind()
    {
        foreach (NodeProto node in Enumerable.Reverse(_model.Graph.Nodes.ToArray()))
        {
            if (!node.Inputs.Any(Wants) || node.Outputs.All(output => Gradient(output) is null))
                continue;
            if (RuleBook.Find(node) is not { } rule)
                throw Refused($"The operator {(node.Domain.Length > 0 ? node.Domain + "." : "")}{node.OpType} (node '{node.Name}') has no gradient rule here; known are {string.Join(", ", TransposedGraph.Operators)}.");
            if (node.OpType != "Split" && node.Outputs.Skip(1).Any(output => Gradient(output) is not null))
                throw Refused($"A gradient reaches another output of {node.OpType} '{node.Name}' than its first.");
            rule(this, node);
        }
    }

    /// <summary>A value of the shape of a forward one.</summary>
    public ValueInfoProto Value(string name, string like) => ValueInfoProto.Tensor(name, TensorDataType.Float, [.. Shape(like).Select(Dimension.FromInt64)]);

    public ModelProto ToModel(ImmutableArray<ValueInfoProto> moreInputs, ImmutableArray<ValueInfoProto> moreOutputs)
    {
        string[] inputs = [.. _model.Graph.Inputs.Select(input => input.Name).Where(Wants)];
        foreach (string input in inputs)
            Name(Gradient(input) ?? Node("ConstantOfShape", [Integers(Shape(input).AsSpan())]), TransposedGraph.Gradient(input));
        return _model with
        {
            Graph = _model.Graph with
            {
                Nodes = [.. _forward, .. _backward],
                Initializers = [.. _constants],
                Inputs = [.. _model.Graph.Inputs.Select(input => Wants(input.Name) ? Value(input.Name, input.Name) : input), .. moreInputs],
                Outputs = [.. Outputs.Select(output => Value(output, output)), .. moreOutputs, .. inputs.Select(input => Value(TransposedGraph.Gradient(input), input))],
                ValueInfo = [],
            },
        };
    }

    private string Fresh()
    {
        string name;
        do
            name = $"cloister/back/{_names++}";
        while (_values.ContainsKey(name));
        return name;
    }

    private static HashSet<string> Active(GraphProto graph, IReadOnlyDictionary<string, ValueShape> values)
    {
        HashSet<string> active = [.. graph.Inputs.Select(input => input.Name).Where(name => values[name].IsFloat)];
        foreach (NodeProto node in graph.Nodes.Where(node => node.Inputs.Any(active.Contains)))
        {
            string[] made = [.. node.Outputs.Where(output => output.Length > 0)];
            // To leave such a way out would be a gradient that is wrong, and nothing would say so.
            if (made.FirstOrDefault(output => values[output].IsOtherFraction) is { } other)
                throw Refused($"{node.OpType} '{node.Name}' goes on in {values[other].Type}; gradients are written for 32-bit floats.");
            active.UnionWith(made.Where(output => values[output].IsFloat));
        }
        return active;
    }
}

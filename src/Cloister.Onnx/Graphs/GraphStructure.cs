using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>Who makes and who reads each value of a graph that is one: the checks that need no run.</summary>
internal sealed class GraphStructure
{
    private readonly Dictionary<string, int> _producers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<int>> _consumers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _dependent = new(StringComparer.Ordinal);
    private readonly HashSet<string> _content = new(StringComparer.Ordinal);

    private readonly IReadOnlySet<string>? _unforeseen;

    private GraphStructure(ModelProto model, IReadOnlySet<string>? unforeseen) => (Model, _unforeseen) = (model, unforeseen);

    public ModelProto Model { get; }

    /// <summary>What the caller gives: the graph's inputs without the initialisers among them.</summary>
    public List<ValueInfoProto> Inputs { get; } = [];

    public Dictionary<string, TensorProto> Weights { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, long> WeightBytes { get; } = new(StringComparer.Ordinal);

    public bool[] NodeDepends { get; private set; } = [];

    /// <summary>Whether an output depends on the node.</summary>
    public bool[] NodeNeeded { get; private set; } = [];

    /// <summary>Whether the node tells the shape of a value that depends on an input: known from the number of items, whatever they hold.</summary>
    public bool[] NodeMeasures { get; private set; } = [];

    /// <param name="model">The model.</param>
    /// <param name="unforeseen">Values whose shapes count as what they hold does; where none is given, shapes are known from the number of items.</param>
    /// <exception cref="GraphException">It is no graph, or not one that can be cut.</exception>
    public static GraphStructure Read(ModelProto model, IReadOnlySet<string>? unforeseen = null)
    {
        var structure = new GraphStructure(model, unforeseen);
        structure.DemandKnown();
        structure.ReadConstants();
        structure.ReadNodes();
        structure.ReadOutputs();
        return structure;
    }

    public bool Exists(string name) => _producers.ContainsKey(name);

    public bool Depends(string name) => _dependent.Contains(name);

    public int Producer(string name) => _producers[name];

    public IReadOnlyList<int> Consumers(string name) => _consumers.TryGetValue(name, out List<int>? nodes) ? nodes : [];

    public IEnumerable<string> Names => _producers.Keys;

    /// <summary>The initialisers that a node reads, each once.</summary>
    public IEnumerable<string> WeightsOf(NodeProto node) => node.Inputs.Distinct(StringComparer.Ordinal).Where(Weights.ContainsKey);

    public static string Describe(NodeProto node, int index) =>
        node.Name.Length == 0 ? $"node {index} ({node.OpType})" : $"node {index} '{node.Name}' ({node.OpType})";

    private void DemandKnown()
    {
        if (UnknownFields.HasFunctions(Model))
            throw new GraphException(GraphError.UnknownOperator, "The model defines functions of its own; inline them first.");
        if (UnknownFields.HasSparseWeights(Model.Graph))
            throw new GraphException(GraphError.UnknownOperator, "The model has sparse initialisers; make them dense first.");
        if (OnnxModel.ExternalInitializers(Model) is [var external, ..])
            throw new GraphException(GraphError.ExternalWeights, $"The weights of '{external.Name}' lie in '{external.Location}'; put them into the model first.");
        var imported = new HashSet<string>(StringComparer.Ordinal);
        foreach (OperatorSetIdProto set in Model.OpsetImport)
        {
            if (!imported.Add(OperatorNames.Domain(set.Domain)))
                throw new GraphException(GraphError.UnknownOperator, $"The model imports the operators of '{OperatorNames.Shown(set.Domain)}' twice.");
        }
        for (int i = 0; i < Model.Graph.Nodes.Length; i++)
        {
            NodeProto node = Model.Graph.Nodes[i];
            if (OperatorNames.IsNotOnePass(node.OpType) || node.Attributes.Any(attribute => attribute.Graph is not null || attribute.Graphs.Length > 0))
                throw new GraphException(
                    GraphError.ControlFlow,
                    $"The {Describe(node, i)} has a graph inside or works on sequences, maps or optional values: what crosses a cut would depend on data.");
            if (!OperatorNames.IsKnown(node.Domain, node.OpType) || UnknownFields.HasOverload(node))
                throw new GraphException(
                    GraphError.UnknownOperator, $"The {Describe(node, i)} is an operator of '{OperatorNames.Shown(node.Domain)}' that is not known here.");
            if (!imported.Contains(OperatorNames.Domain(node.Domain)))
                throw new GraphException(
                    GraphError.UnknownOperator, $"The {Describe(node, i)} is an operator of '{OperatorNames.Shown(node.Domain)}', of which the model does not say which version it means.");
            if (UnknownFields.HasSparseWeights(node))
                throw new GraphException(GraphError.UnknownOperator, $"The {Describe(node, i)} holds a sparse tensor; make it dense first.");
            if (OperatorNames.IsRandom(node.OpType) || node is { OpType: "Dropout", Inputs: [_, _, { Length: > 0 } training, ..] } && !IsFalse(training))
                throw new GraphException(GraphError.NotDeterministic, $"The {Describe(node, i)} draws random numbers: parts could not be compared with the whole.");
        }
    }

    // Dropout is idle unless its third input says that the model is trained.
    private bool IsFalse(string name) =>
        Model.Graph.Initializers.FirstOrDefault(weight => weight.Name == name) is { DataType: TensorDataType.Bool } flag
        && (flag.RawData is { } raw ? !raw.Span.ContainsAnyExcept((byte)0) : flag.Int32Data.All(value => value == 0))
        && Model.Graph.Inputs.All(input => input.Name != name);

    private void ReadConstants()
    {
        foreach (TensorProto weight in Model.Graph.Initializers)
        {
            Make(weight.Name, GraphValue.NoNode, "an initialiser");
            Weights.Add(weight.Name, weight);
            WeightBytes.Add(weight.Name, GraphWeights.Bytes(weight));
        }
        var listed = new HashSet<string>(StringComparer.Ordinal);
        foreach (ValueInfoProto input in Model.Graph.Inputs)
        {
            if (!listed.Add(input.Name))
                throw new GraphException(GraphError.NotAGraph, $"The input '{input.Name}' is listed twice.");
            // Before IR version 4 weights are listed as inputs; later ones may be, with a default that no caller here changes.
            if (Weights.ContainsKey(input.Name))
                continue;
            Make(input.Name, GraphValue.NoNode, "an input");
            _dependent.Add(input.Name);
            _content.Add(input.Name);
            Inputs.Add(input);
        }
    }

    private void ReadNodes()
    {
        var nodes = Model.Graph.Nodes;
        NodeDepends = new bool[nodes.Length];
        NodeMeasures = new bool[nodes.Length];
        for (int i = 0; i < nodes.Length; i++)
        {
            foreach (string input in nodes[i].Inputs)
            {
                if (input.Length == 0)
                    continue;
                if (!_producers.ContainsKey(input))
                    throw new GraphException(GraphError.NotAGraph, $"The {Describe(nodes[i], i)} reads '{input}', {MadeLater(input, i)}.");
                if (!_consumers.TryGetValue(input, out List<int>? consumers))
                    _consumers.Add(input, consumers = []);
                if (consumers.Count == 0 || consumers[^1] != i)
                    consumers.Add(i);
                NodeDepends[i] |= _dependent.Contains(input);
            }
            bool measures = OperatorNames.IsMeasure(nodes[i]);
            if (NodeDepends[i] && measures && _unforeseen?.Contains(nodes[i].Inputs[0]) != true)
                (NodeDepends[i], NodeMeasures[i]) = (false, true);
            if (ShapingInputs.IsShapedByAny(nodes[i], _content))
                throw new GraphException(GraphError.DynamicShape, $"The shape of what the {Describe(nodes[i], i)} makes depends on what the input holds.");
            if (!measures && nodes[i].Inputs.Any(_content.Contains))
                _content.UnionWith(nodes[i].Outputs.Where(output => output.Length > 0));
            foreach (string output in nodes[i].Outputs.Where(output => output.Length > 0))
            {
                Make(output, i, $"the {Describe(nodes[i], i)}");
                if (NodeDepends[i])
                    _dependent.Add(output);
            }
        }
    }

    private void ReadOutputs()
    {
        var outputs = new HashSet<string>(StringComparer.Ordinal);
        foreach (ValueInfoProto output in Model.Graph.Outputs)
        {
            if (!outputs.Add(output.Name))
                throw new GraphException(GraphError.NotAGraph, $"The output '{output.Name}' is listed twice.");
            if (!_producers.TryGetValue(output.Name, out int producer))
                throw new GraphException(GraphError.NotAGraph, $"Nothing makes the output '{output.Name}'.");
            if (producer == GraphValue.NoNode)
                throw new GraphException(GraphError.NotAGraph, $"The output '{output.Name}' is an input or a weight: no node makes it.");
        }
        if (!outputs.Any(_dependent.Contains))
            throw new GraphException(GraphError.NotAGraph, "The model has no output that depends on an input.");

        var nodes = Model.Graph.Nodes;
        NodeNeeded = new bool[nodes.Length];
        var needed = outputs;
        for (int i = nodes.Length - 1; i >= 0; i--)
        {
            NodeNeeded[i] = nodes[i].Outputs.Any(needed.Contains);
            // What is left out has the empty name, as an input and as an output; that does not tie them.
            if (NodeNeeded[i] && !NodeMeasures[i])
                needed.UnionWith(nodes[i].Inputs.Where(input => input.Length > 0));
        }
    }

    private void Make(string name, int producer, string maker)
    {
        if (name.Length == 0)
            throw new GraphException(GraphError.NotAGraph, $"A value that is {maker} has no name.");
        // ONNX Runtime takes names of inputs and outputs up to the first zero: it would give another value.
        if (name.Contains('\0', StringComparison.Ordinal))
            throw new GraphException(GraphError.NotAGraph, $"The value '{name.Replace('\0', '?')}' that is {maker} has a zero character in its name.");
        if (!_producers.TryAdd(name, producer))
            throw new GraphException(GraphError.NotAGraph, $"The value '{name}' is made twice, the second time as {maker}.");
    }

    private string MadeLater(string name, int reader)
    {
        for (int i = reader; i < Model.Graph.Nodes.Length; i++)
        {
            if (Model.Graph.Nodes[i].Outputs.Contains(name))
                return i == reader ? "which it makes itself" : $"which the {Describe(Model.Graph.Nodes[i], i)} makes later: a cycle, or not in order";
        }
        return "which nothing makes";
    }
}

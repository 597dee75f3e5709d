using System.Collections.Frozen;
using System.Collections.Immutable;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;

namespace Cloister.Onnx.Graphs;

/// <summary>
/// A model's graph, checked and measured: every value is made once and before it is used, every operator is known, and the shape of
/// every value is the one it has when the model runs.
/// </summary>
public sealed class ModelGraph
{
    private ModelGraph(
        ModelProto model, GraphStructure structure, MeasuredValues measured, ImmutableArray<GraphNode> nodes, FrozenDictionary<string, GraphValue> values)
    {
        Model = model;
        Nodes = nodes;
        Values = values;
        Inputs = [.. structure.Inputs.Select(input => values[input.Name])];
        Outputs = [.. model.Graph.Outputs.Select(output => values[output.Name])];
        HasBatch = measured.HasBatch;
        Macs = nodes.Where(node => node.OnTheWay).Sum(node => node.Macs);
        Flow = new FlowGraph(this);
        Aside = new ShapesToldAside(this, structure.NodeNeeded);
        FoldsInParts = RuntimeFusions.AreHindered(this);
        WeightBytes = Flow.Weights.Bytes;
        LanguageModelReason = LanguageModels.Recognise(structure, name => values[name].Shape);
    }

    /// <summary>The model.</summary>
    public ModelProto Model { get; }

    /// <summary>Its nodes, in the model's order.</summary>
    public ImmutableArray<GraphNode> Nodes { get; }

    /// <summary>Every value by its name.</summary>
    public IReadOnlyDictionary<string, GraphValue> Values { get; }

    /// <summary>What the caller gives, in the model's order; initialisers that the model lists as inputs are not among them.</summary>
    public ImmutableArray<GraphValue> Inputs { get; }

    /// <summary>What the caller gets, in the model's order.</summary>
    public ImmutableArray<GraphValue> Outputs { get; }

    /// <summary>Whether the first dimension of an input is free and the model runs with 1 and with 2 items in it.</summary>
    public bool HasBatch { get; }

    /// <summary>
    /// Multiply-accumulates of one item: convolutions (also transposed, deformable, quantised and fused), matrix products (also quantised
    /// and fused, Einsum), recurrent layers. Not counted: additions of biases, normalisations, activations, pooling, attention in one
    /// operator, trees and other operators of ai.onnx.ml, and whatever does not depend on an input.
    /// </summary>
    public long Macs { get; }

    /// <summary>
    /// Bytes of the weights that the outputs depend on, as the model stores them, each counted once: initialisers, and tensors in attributes.
    /// Lists of numbers in attributes, such as the trees of ai.onnx.ml, are not counted.
    /// </summary>
    public long WeightBytes { get; }

    /// <summary>Whether it is a language model: what would cross a cut reveals the text, so that it is not cut.</summary>
    public bool IsLanguageModel => LanguageModelReason is not null;

    /// <summary>What it is recognised as a language model by, in a sentence; null if it is none.</summary>
    public string? LanguageModelReason { get; }

    internal FlowGraph Flow { get; }

    internal ShapesToldAside Aside { get; }

    /// <summary>Whether parts may have operators folded that the whole has not.</summary>
    internal bool FoldsInParts { get; }

    /// <summary>Checks a model's graph and measures it, by running it once on zeros with one item and, where the batch is free, once with two.</summary>
    /// <param name="model">The model, its weights inside.</param>
    /// <param name="inputShapes">
    /// Shapes of one item for inputs by name; needed where a dimension other than the first is free. A first dimension of 1 leaves a free
    /// batch free, another number fixes it.
    /// </param>
    /// <exception cref="GraphException">The graph cannot be cut; the error says why, the text where.</exception>
    /// <exception cref="OnnxModelException">A tensor of the model is not what it says of itself.</exception>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime refuses the model, or fails to run it on zeros.</exception>
    /// <exception cref="ArgumentException">A shape names no input, or does not fit what the model states.</exception>
    public static ModelGraph Read(ModelProto model, IReadOnlyDictionary<string, long[]>? inputShapes = null)
    {
        var structure = GraphStructure.Read(model);
        ImmutableArray<ProbeInput> inputs = InputShapes.Choose(structure, inputShapes);
        return Of(structure, ShapeProbe.Run(structure, inputs));
    }

    /// <summary>The graph of a structure whose values have been measured.</summary>
    internal static ModelGraph Of(GraphStructure structure, MeasuredValues measured)
    {
        ModelProto model = structure.Model;
        if (ShapesToldAside.Unforeseen(structure, measured) is { Count: > 0 } unforeseen)
            structure = GraphStructure.Read(model, unforeseen);
        FrozenDictionary<string, GraphValue> values = GraphValues.Of(structure, measured);
        var nodes = ImmutableArray.CreateBuilder<GraphNode>(model.Graph.Nodes.Length);
        for (int i = 0; i < model.Graph.Nodes.Length; i++)
        {
            NodeProto node = model.Graph.Nodes[i];
            nodes.Add(new GraphNode
            {
                Index = i,
                Proto = node,
                DependsOnInput = structure.NodeDepends[i],
                TellsShape = structure.NodeMeasures[i],
                OnTheWay = structure.NodeDepends[i] && structure.NodeNeeded[i],
                Macs = structure.NodeDepends[i] ? MultiplyAccumulates.Of(node, name => values[name].Shape) : 0,
                WeightBytes = structure.WeightsOf(node).Sum(name => structure.WeightBytes[name]) + GraphWeights.ConstantBytes(node),
            });
        }
        return new ModelGraph(model, structure, measured, nodes.MoveToImmutable(), values);
    }

    /// <summary>The cut at the named tensors.</summary>
    /// <exception cref="GraphException">
    /// <see cref="GraphError.NotACut"/> (the text says which path passes beside, or which tensor is one too many),
    /// <see cref="GraphError.LeaksInput"/> or <see cref="GraphError.LanguageModel"/>.
    /// </exception>
    public Cut Cut(IReadOnlyList<string> tensors) => GraphCutter.Demand(this, tensors);

    /// <summary>For fuzzing: whatever the bytes are, they are refused by the documented exceptions, or can be cut everywhere that is offered, into parts that load.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        ModelGraph graph;
        ImmutableArray<Cut> cuts;
        try
        {
            graph = Read(OnnxModel.Parse(bytes));
            cuts = CutFinder.Find(graph, maximumTensors: 2);
        }
        catch (Exception refusal) when (refusal is GraphException or OnnxModelException or OnnxRuntimeException)
        {
            // The documented refusals.
            return;
        }
        foreach (Cut cut in cuts.Take(3))
        {
            PartitionedModel parts = GraphCutter.Split(graph, cut.Tensors);
            foreach (ModelProto part in new[] { parts.Front, parts.Back })
            {
                OnnxModel.Parse(part.ToBytes());
                using OrtSession session = OrtSession.FromMemory(part.ToBytes());
            }
        }
    }
}

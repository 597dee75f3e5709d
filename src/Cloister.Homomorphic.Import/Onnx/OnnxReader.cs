using Cloister.Homomorphic.Models;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>
/// Reads an ONNX graph that is a linear model or a forest: scaling of features, then weighted sums or trees, then a link. The graph is
/// walked once, each value being followed as far as it is known what it means; a node that is not known ends the walk.
/// </summary>
internal static class OnnxReader
{
    public static PlainModel Read(ReadOnlyMemory<byte> bytes, ImportOptions options)
    {
        try
        {
            return Walk(OnnxModel.Parse(bytes).Graph, options);
        }
        catch (OnnxModelException e)
        {
            throw new ImportException(ImportError.Malformed, $"The ONNX file is damaged: {e.Message}", e);
        }
    }

    private static PlainModel Walk(GraphProto proto, ImportOptions options)
    {
        var graph = new OnnxGraph(options);
        foreach (TensorProto constant in proto.Initializers) graph.Define(constant.Name, new ConstantValue(constant));
        string[] names = OnnxInputs.Read(graph, proto);
        foreach (NodeProto node in proto.Nodes) OnnxOperators.Read(graph, node);

        PlainModel? model = null;
        IReadOnlyList<string> classes = [];
        foreach (ValueInfoProto output in proto.Outputs)
        {
            switch (graph.Find(output.Name))
            {
                case ScoresValue scores:
                    model = scores.Model;
                    break;
                case LabelValue label:
                    model ??= label.Model;
                    classes = label.Model.Classes;
                    break;
                default:
                    throw new ImportException(ImportError.BrokenGraph, $"The output '{output.Name}' is not made of a model's scores.");
            }
        }
        if (model is null) throw new ImportException(ImportError.BrokenGraph, "The graph has no outputs.");
        if (classes.Count > 0) model = model with { Classes = classes };
        return FinishedModel.Of(model, names, options);
    }
}

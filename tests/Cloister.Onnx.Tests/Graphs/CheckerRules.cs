using Cloister.Onnx.Model;

namespace Cloister.Onnx.Tests.Graphs;

/// <summary>What ONNX's own checker demands of a model (onnx/checker.cc, check_model): names, order, types, domains.</summary>
internal static class CheckerRules
{
    public static void Demand(ModelProto model)
    {
        Assert.True(model.IrVersion > 0, "no IR version");
        Assert.NotEqual("", model.Graph.Name);
        HashSet<string> domains = [.. model.OpsetImport.Select(set => set.Domain is "ai.onnx" ? "" : set.Domain)];
        Assert.Equal(model.OpsetImport.Length, domains.Count);
        Assert.All(model.OpsetImport, set => Assert.True(set.Version > 0));

        Assert.All(model.Graph.Inputs, Typed);
        Assert.All(model.Graph.Outputs, Typed);
        HashSet<string> known = [.. model.Graph.Inputs.Select(input => input.Name)];
        Assert.Equal(model.Graph.Inputs.Length, known.Count);
        foreach (TensorProto weight in model.Graph.Initializers)
        {
            Assert.NotEqual("", weight.Name);
            Assert.NotEqual(TensorDataType.Undefined, weight.DataType);
            Assert.False(weight.IsExternal);
            Assert.True(known.Add(weight.Name) || model.Graph.Inputs.Any(input => input.Name == weight.Name), $"{weight.Name} twice");
        }
        Assert.Equal(model.Graph.Initializers.Length, model.Graph.Initializers.Select(weight => weight.Name).Distinct().Count());
        foreach (NodeProto node in model.Graph.Nodes)
        {
            Assert.NotEqual("", node.OpType);
            Assert.Contains(node.Domain is "ai.onnx" ? "" : node.Domain, domains);
            Assert.True(node.Inputs.All(input => input.Length == 0 || known.Contains(input)), $"{node.OpType} reads what is not made yet");
            Assert.True(node.Outputs.All(output => output.Length == 0 || known.Add(output)), $"{node.OpType} makes what is made");
            Assert.Equal(node.Attributes.Length, node.Attributes.Select(attribute => attribute.Name).Distinct().Count());
            Assert.All(node.Attributes, attribute => Assert.NotEqual(AttributeType.Undefined, attribute.Type));
        }
        Assert.All(model.Graph.Outputs, output => Assert.Contains(output.Name, known));
        Assert.Equal(model.Graph.Outputs.Length, model.Graph.Outputs.Select(output => output.Name).Distinct().Count());
    }

    private static void Typed(ValueInfoProto value)
    {
        Assert.NotEqual("", value.Name);
        Assert.NotNull(value.Type?.TensorType?.Shape);
        Assert.NotEqual(TensorDataType.Undefined, value.Type.TensorType.ElementType);
    }
}

using System.Text;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Tests;
using static Cloister.Onnx.Tests.Graphs.Graph;

namespace Cloister.Onnx.Tests.Graphs;

/// <summary>What a part is, and what it says of the rest.</summary>
public sealed class PartTests
{
    private const string Secret = "secret";

    [Fact]
    public void A_part_has_what_it_computes_with_and_tells_nothing_else()
    {
        ModelProto model = Talkative();
        ModelGraph graph = ModelGraph.Read(model);
        PartitionedModel parts = GraphCutter.Split(graph, ["b"], ["c"]);
        foreach (ModelProto part in new[] { parts.Front, parts.Back, parts.Tail! })
        {
            Assert.Equal((model.IrVersion, "", "", "", (long?)null), (part.IrVersion, part.ProducerName, part.ProducerVersion, part.Domain, part.ModelVersion));
            Assert.Empty(part.MetadataProps);
            Assert.Empty(part.Graph.ValueInfo);
            Assert.All(part.Graph.Nodes, node => Assert.Equal("", node.Name));
            Assert.DoesNotContain(Secret, Encoding.UTF8.GetString(part.ToBytes()), StringComparison.Ordinal);
            Assert.Equal(part.ToBytes(), OnnxModel.Parse(part.ToBytes()).ToBytes());
        }
        Assert.Equal(["MatMul", "Relu"], parts.Front.Graph.Nodes.Select(node => node.OpType));
        Assert.Equal(["Gemm"], parts.Back.Graph.Nodes.Select(node => node.OpType));
        Assert.Equal(["Add", "QuickGelu"], parts.Tail!.Graph.Nodes.Select(node => node.OpType));
        Assert.Equal(["m"], Weights(parts.Front));
        Assert.Equal(["m2"], Weights(parts.Back));
        Assert.Equal(["shift"], Weights(parts.Tail));
        Assert.Empty(parts.SharedWeights);
        Assert.Equal(17, Assert.Single(parts.Back.OpsetImport).Version);
        Assert.Equal(["", "com.microsoft"], parts.Tail.OpsetImport.Select(opset => opset.Domain).Order());
        Assert.Contains(Secret, Encoding.UTF8.GetString(model.ToBytes()), StringComparison.Ordinal);
    }

    [Fact]
    public void Inputs_and_outputs_of_parts_are_typed_and_the_batch_keeps_its_name()
    {
        PartitionedModel parts = GraphCutter.Split(ModelGraph.Read(Talkative()), ["b"]);
        Assert.Equal(["x [items,4] Float"], parts.Front.Graph.Inputs.Select(Text));
        Assert.Equal(["b [items,4] Float"], parts.Front.Graph.Outputs.Select(Text));
        Assert.Equal(["b [items,4] Float"], parts.Back.Graph.Inputs.Select(Text));
        Assert.Equal(["y [items,4] Float"], parts.Back.Graph.Outputs.Select(Text));
        using OrtSession back = OrtSession.FromMemory(parts.Back.ToBytes());
        Assert.Equal("b: Float[-1,4]", Assert.Single(back.Inputs).ToString());
    }

    [Fact]
    public void Dimensions_that_follow_the_batch_otherwise_stay_free_without_a_name()
    {
        // Items side by side in one dimension of 3 each, and the batch turned into the second dimension.
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "items", 3, 4)], ["y"],
            Node("a = MatMul(x, m)"), Node("b = Reshape(a, rows)"), Node("c = Softmax(b)"), Node("d = Transpose(c)"), Node("y = Relu(d)"))
            .With(Random("m", 1, 4, 4), TensorProto.Of("rows", [2], [-1L, 4])));
        Assert.True(graph.HasBatch);
        Assert.Equal((true, false, false), (graph.Values["a"].BatchFirst, graph.Values["b"].BatchFirst, graph.Values["d"].BatchFirst));
        Assert.Equal([3, 4], graph.Values["b"].Shape.ToArray());
        Assert.Equal(["c [?,4] Float"], GraphCutter.Split(graph, ["c"]).Back.Graph.Inputs.Select(Text));
        Assert.Equal(["d [4,?] Float"], GraphCutter.Split(graph, ["d"]).Back.Graph.Inputs.Select(Text));
        Dictionary<string, OrtTensor> inputs = Composition.Inputs(graph, items: 5);
        OrtTensor[] whole = Composition.Whole(graph.Model, inputs, GraphOptimization.Basic);
        Assert.All(CutFinder.Find(graph), cut => Assert.Equal(0, Composition.Distance(whole, Composition.Parts(GraphCutter.Split(graph, cut.Tensors), inputs, GraphOptimization.Basic))));
    }

    [Fact]
    public void A_model_that_says_it_takes_any_batch_and_computes_one_item_has_none()
    {
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 4)], ["y"], Node("a = MatMul(x, m)"), Node("b = Reshape(a, one)"), Node("y = Relu(b)"))
            .With(Random("m", 1, 4, 4), TensorProto.Of("one", [2], [1L, 4])));
        Assert.False(graph.HasBatch);
        Assert.Equal(["a [1,4] Float"], GraphCutter.Split(graph, ["a"]).Back.Graph.Inputs.Select(Text));
    }

    [Fact]
    public void Several_inputs_and_outputs_stay_where_they_belong()
    {
        ModelGraph graph = ModelGraph.Read(Of([Input("left", "N", 4), Input("right", "N", 4), Input("unused", "N", 1)], ["y", "z", "fixed"],
            Node("a = MatMul(left, m)"), Node("b = MatMul(right, m)"), Node("c = Sum(a, b)"), Node("d = MatMul(c, m)"), Node("y = Relu(d)"), Node("z = Sigmoid(d)"), Node("fixed = Sigmoid(m)"))
            .With(Random("m", 1, 4, 4)));
        Assert.Equal(["a b", "c", "d"], CutFinder.Find(graph, 2).Select(cut => string.Join(' ', cut.Tensors)));
        PartitionedModel parts = GraphCutter.Split(graph, ["c"]);
        Assert.Equal(["left", "right", "unused"], parts.Front.Graph.Inputs.Select(input => input.Name));
        Assert.Equal(["y", "z", "fixed"], parts.Back.Graph.Outputs.Select(output => output.Name));
        Assert.Equal(["m"], parts.SharedWeights.ToArray());
        Dictionary<string, OrtTensor> inputs = Composition.Inputs(graph, items: 2);
        OrtTensor[] whole = Composition.Whole(graph.Model, inputs, GraphOptimization.Basic);
        Assert.Equal(0, Composition.Distance(whole, Composition.Parts(parts, inputs, GraphOptimization.Basic)));
        Assert.Equal(0, Composition.Distance(whole, Composition.Parts(GraphCutter.Split(graph, ["a", "b"], ["d"]), inputs, GraphOptimization.Basic)));
    }

    [Fact]
    public void A_node_behind_one_tensor_of_a_cut_and_before_another_is_computed_in_both_parts()
    {
        // p comes of a alone; both c, which crosses, and the output want it.
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 4)], ["y"],
            Node("a = MatMul(x, m)"), Node("b = MatMul(x, m2)"), Node("p = Sigmoid(a)"), Node("c = Sum(p, b)"), Node("t = MatMul(c, m)"), Node("y = Sum(t, p)"))
            .With(Random("m", 1, 4, 4), Random("m2", 2, 4, 4)));
        PartitionedModel parts = GraphCutter.Split(graph, ["a", "c"]);
        Assert.Equal(["MatMul", "MatMul", "Sigmoid", "Sum"], parts.Front.Graph.Nodes.Select(node => node.OpType));
        Assert.Equal(["Sigmoid", "MatMul", "Sum"], parts.Back.Graph.Nodes.Select(node => node.OpType));
        Dictionary<string, OrtTensor> inputs = Composition.Inputs(graph);
        Assert.Equal(0, Composition.Distance(Composition.Whole(graph.Model, inputs, GraphOptimization.Basic), Composition.Parts(parts, inputs, GraphOptimization.Basic)));
    }

    [SharedDataFact]
    public void Weights_that_an_old_model_lists_as_inputs_are_listed_again()
    {
        ModelGraph graph = ModelGraph.Read(OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/vision/mnist.onnx"))));
        Assert.Equal(["Input3"], graph.Inputs.Select(input => input.Name));
        PartitionedModel parts = GraphCutter.Split(graph, ["Pooling66_Output_0"]);
        Assert.All(new[] { parts.Front, parts.Back }, part => Assert.Superset(Weights(part).ToHashSet(), part.Graph.Inputs.Select(input => input.Name).ToHashSet()));
        using OrtSession back = OrtSession.FromMemory(parts.Back.ToBytes());
        Assert.Equal("Pooling66_Output_0", Assert.Single(back.Inputs).Name);
    }

    private static ModelProto Talkative()
    {
        // doc_string of a node, a tensor, an attribute, a graph and a model; metadata of a model.
        byte[] nodeText = Text(6), tensorText = Text(12), attributeText = Text(13), graphText = Text(10), modelText = Text(6);
        ModelProto model = Of([Input("x", "items", 4)], ["y"],
            Node("a = MatMul(x, m)"), Node("b = Relu(a)"), Node("c = Gemm(b, m2)", AttributeProto.Of("transB", 1L) with { UnknownFields = attributeText }),
            Node("d = Add(c, shift)"), Node("y = QuickGelu(d)") with { Domain = "com.microsoft" });
        return model with
        {
            ProducerName = Secret, ProducerVersion = Secret, Domain = Secret, ModelVersion = 3, UnknownFields = modelText,
            MetadataProps = [new() { Key = Secret, Value = Secret }],
            OpsetImport = [.. model.OpsetImport, new() { Domain = "com.microsoft", Version = 1 }, new() { Domain = Secret, Version = 1 }],
            Graph = model.Graph with
            {
                Name = Secret, UnknownFields = graphText,
                Nodes = [.. model.Graph.Nodes.Select((node, i) => node with { Name = Secret + i, UnknownFields = nodeText })],
                Initializers = [Random("m", 1, 4, 4) with { UnknownFields = tensorText }, Random("m2", 2, 4, 4), Random("shift", 3, 4)],
                ValueInfo = [Input("a", "items", 4) with { UnknownFields = Text(3) }],
            },
        };
    }

    private static byte[] Text(int field) => [(byte)(field << 3 | 2), 6, .. Encoding.ASCII.GetBytes(Secret)];

    private static string Text(ValueInfoProto value) =>
        $"{value.Name} [{string.Join(',', value.Type!.TensorType!.Shape!.Dimensions.Select(size => size.Name ?? size.Value?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "?"))}] {value.Type.TensorType.ElementType}";

    private static IEnumerable<string> Weights(ModelProto part) => part.Graph.Initializers.Select(weight => weight.Name);
}

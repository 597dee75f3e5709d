using Cloister.Onnx.Model;
using Cloister.Partitioning.Tests.Transposed;
using Cloister.Partitioning.Weights;
using static Cloister.Onnx.Model.AttributeProto;

namespace Cloister.Partitioning.Tests.Weights;

public sealed class GraphMatchTests
{
    private static readonly long[] Picture = [1, 3, 8, 8];

    [Fact]
    public void Names_do_not_matter()
    {
        GraphProto own = Net().Graph, known = Renamed(Net(seed: 2).Graph);
        GraphMatch match = GraphMatch.Of(own, known);
        Assert.Null(match.Mismatch);
        Assert.Equal("other/w0", match.Names["w0"]);
        Assert.Equal("other/v2", match.Names["v2"]);
    }

    [Fact]
    public void Constants_count_as_weights_whichever_way_they_are_written()
    {
        ModelProto listed = Net(), written = listed with
        {
            Graph = listed.Graph with
            {
                Initializers = [],
                Nodes = [.. listed.Graph.Initializers.Select(tensor => new NodeProto { OpType = "Constant", Outputs = [tensor.Name], Attributes = [Of("value", tensor)] }), .. listed.Graph.Nodes],
            },
        };
        Assert.Null(GraphMatch.Of(PlainModel.Of(listed).Graph, PlainModel.Of(written).Graph).Mismatch);
    }

    [Fact]
    public void What_differs_is_named_and_what_comes_before_is_alike()
    {
        (ModelProto Other, string Says)[] others =
        [
            (Net(last: "Tanh"), "Tanh"),
            (Net(classes: 6), "6, 4"),
            (Net(stride: 2), "attributes"),
            (Net(swapped: true), "wired"),
            (Net(shape: 2), "constants"),
            (Net() with { Graph = Net().Graph with { Nodes = Net().Graph.Nodes[..^1] } }, "nodes"),
            (Net() with { Graph = Net().Graph with { Inputs = [] } }, "inputs"),
        ];
        foreach ((ModelProto other, string says) in others)
        {
            GraphMatch match = GraphMatch.Of(Net().Graph, other.Graph);
            Assert.Contains(says, match.Mismatch!, StringComparison.Ordinal);
            Assert.Equal(says is "inputs", !match.Names.ContainsKey("x"));
        }
        Assert.Contains("v0", GraphMatch.Of(Net().Graph, Net(last: "Tanh").Graph).Names);
    }

    private static GraphProto Renamed(GraphProto graph) => graph with
    {
        Nodes = [.. graph.Nodes.Select(node => node with { Name = "", Inputs = [.. node.Inputs.Select(Other)], Outputs = [.. node.Outputs.Select(Other)], Attributes = [.. node.Attributes.Reverse()] })],
        Initializers = [.. graph.Initializers.Reverse().Select(tensor => tensor with { Name = Other(tensor.Name) })],
        Inputs = [.. graph.Inputs.Select(input => input with { Name = Other(input.Name) })],
        Outputs = [.. graph.Outputs.Select(output => output with { Name = Other(output.Name) })],
    };

    private static string Other(string name) => "other/" + name;

    private static ModelProto Net(int seed = 1, string last = "Relu", long classes = 5, long stride = 1, bool swapped = false, long shape = 1)
    {
        var graph = new SmallGraph(seed);
        graph.Then("Conv", ["x", graph.Weight(4, 3, 3, 3)], Of("strides", stride, stride), Of("group", 1L)).Then("Relu").Then("Sub", swapped ? ["v1", "v0"] : ["v0", "v1"])
            .Then("GlobalAveragePool").Then("Reshape", [graph.Last, graph.Integers(shape, -1)]).Then("Gemm", [graph.Last, graph.Weight(classes, 4)], Of("transB", 1L)).Then(last);
        return graph.Build(Picture);
    }
}

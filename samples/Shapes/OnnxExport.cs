using Cloister.Onnx.Model;
using Cloister.Samples.Shapes.Drawing;
using Cloister.Samples.Shapes.Learning;

namespace Cloister.Samples.Shapes;

/// <summary>Writes a trained network as an ONNX model: <c>image</c> [N,3,32,32] of RGB / 255 in, <c>probabilities</c> [N,10] out.</summary>
internal static class OnnxExport
{
    public static byte[] Write(Network network)
    {
        var graph = new GraphBuilder();
        string value = "image";
        int number = 0;
        foreach (ConvolutionLayer layer in (ConvolutionLayer[])[network.First, network.Second, network.Third])
        {
            string name = $"conv{++number}";
            value = graph.Add("Conv", name, value, [Kernels(network, layer, name), Bias(network, layer.BiasAt, layer.Outputs, name)],
                AttributeProto.Of("kernel_shape", 3, 3), AttributeProto.Of("pads", 1, 1, 1, 1));
            value = graph.Add("Relu", $"relu{number}", value, []);
            value = graph.Add("MaxPool", $"pool{number}", value, [], AttributeProto.Of("kernel_shape", 2, 2), AttributeProto.Of("strides", 2, 2));
        }

        value = graph.Add("Flatten", "flat", value, [], AttributeProto.Of("axis", 1));
        value = graph.Add("Gemm", "hidden", value, [ChannelsFirst(network), Bias(network, network.Hidden.BiasAt, network.Hidden.Outputs, "hidden")], AttributeProto.Of("transB", 1));
        value = graph.Add("Relu", "relu4", value, []);
        value = graph.Add("Gemm", "scores", value, [Dense(network, network.Last, "scores"), Bias(network, network.Last.BiasAt, network.Last.Outputs, "scores")], AttributeProto.Of("transB", 1));
        graph.Add("Softmax", "probabilities", value, [], AttributeProto.Of("axis", 1));

        return new ModelProto
        {
            IrVersion = 8,
            ProducerName = "Cloister.Samples.Shapes",
            OpsetImport = [new OperatorSetIdProto { Version = 13 }],
            MetadataProps =
            [
                new StringStringEntryProto { Key = "preprocess", Value = "unit" },
                new StringStringEntryProto { Key = "labels", Value = string.Join(',', Outlines.Labels) },
            ],
            Graph = new GraphProto
            {
                Name = "shapes",
                Nodes = [.. graph.Nodes],
                Initializers = [.. graph.Weights],
                Inputs = [ValueInfoProto.Tensor("image", TensorDataType.Float, "N", 3, Canvas.Size, Canvas.Size)],
                Outputs = [ValueInfoProto.Tensor("probabilities", TensorDataType.Float, "N", Outlines.Labels.Count)],
            },
        }.ToBytes();
    }

    /// <summary>From [output][row][column][input] to ONNX's [output][input][row][column].</summary>
    private static TensorProto Kernels(Network network, ConvolutionLayer layer, string name)
    {
        float[] kernels = new float[layer.Outputs * layer.FanIn];
        for (int output = 0; output < layer.Outputs; output++)
            for (int place = 0; place < 9; place++)
                for (int input = 0; input < layer.Inputs; input++)
                    kernels[(output * layer.Inputs + input) * 9 + place] = network.Parameters[layer.WeightsAt + output * layer.FanIn + place * layer.Inputs + input];
        return TensorProto.Of(name + ".weight", [layer.Outputs, layer.Inputs, 3, 3], kernels);
    }

    /// <summary>The hidden layer reads [row][column][channel] here and [channel][row][column] in ONNX.</summary>
    private static TensorProto ChannelsFirst(Network network)
    {
        int channels = network.Third.Outputs, places = network.Hidden.Inputs / channels;
        float[] weights = new float[network.Hidden.Outputs * network.Hidden.Inputs];
        for (int output = 0; output < network.Hidden.Outputs; output++)
            for (int place = 0; place < places; place++)
                for (int channel = 0; channel < channels; channel++)
                    weights[(output * channels + channel) * places + place] = network.Parameters[network.Hidden.WeightsAt + (output * places + place) * channels + channel];
        return TensorProto.Of("hidden.weight", [network.Hidden.Outputs, network.Hidden.Inputs], weights);
    }

    private static TensorProto Dense(Network network, DenseLayer layer, string name) =>
        TensorProto.Of(name + ".weight", [layer.Outputs, layer.Inputs], network.Parameters.AsSpan(layer.WeightsAt, layer.Outputs * layer.Inputs));

    private static TensorProto Bias(Network network, int at, int outputs, string name) =>
        TensorProto.Of(name + ".bias", [outputs], network.Parameters.AsSpan(at, outputs));

    /// <summary>A chain of nodes, each named like its output.</summary>
    private sealed class GraphBuilder
    {
        public List<NodeProto> Nodes { get; } = [];

        public List<TensorProto> Weights { get; } = [];

        public string Add(string opType, string name, string input, TensorProto[] weights, params AttributeProto[] attributes)
        {
            Weights.AddRange(weights);
            Nodes.Add(new NodeProto { OpType = opType, Name = name, Inputs = [input, .. weights.Select(tensor => tensor.Name)], Outputs = [name], Attributes = [.. attributes] });
            return name;
        }
    }
}

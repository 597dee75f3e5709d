using System.Text;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Tests.Onnx;

/// <summary>Small ONNX models, node by node. The input is <c>x</c>.</summary>
internal sealed class Handmade(int features, TensorDataType type = TensorDataType.Float)
{
    private readonly List<NodeProto> _nodes = [];
    private readonly List<TensorProto> _constants = [];
    private readonly List<ValueInfoProto> _outputs = [];

    public static AttributeProto Texts(string name, params string[] values) =>
        new() { Name = name, Type = AttributeType.Strings, Strings = [.. values.Select(value => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(value))] };

    public static AttributeProto Floats(string name, params double[] values) => AttributeProto.Of(name, [.. values.Select(value => (float)value)]);

    public Handmade Node(string op, string[] inputs, string[] outputs, params AttributeProto[] attributes)
    {
        _nodes.Add(new NodeProto { OpType = op, Name = op, Inputs = [.. inputs], Outputs = [.. outputs], Attributes = [.. attributes] });
        return this;
    }

    public Handmade Ml(string op, string[] inputs, string[] outputs, params AttributeProto[] attributes)
    {
        _nodes.Add(new NodeProto { OpType = op, Domain = "ai.onnx.ml", Name = op, Inputs = [.. inputs], Outputs = [.. outputs], Attributes = [.. attributes] });
        return this;
    }

    public Handmade Constant(string name, long[] shape, params double[] values)
    {
        _constants.Add(TensorProto.Of(name, shape, [.. values.Select(value => (float)value)]));
        return this;
    }

    public Handmade Integers(string name, params long[] values)
    {
        _constants.Add(TensorProto.Of(name, [values.Length], values));
        return this;
    }

    public Handmade Output(string name, int columns = 0, TensorDataType outputType = TensorDataType.Float)
    {
        _outputs.Add(columns == 0 ? ValueInfoProto.Tensor(name, outputType, "N") : ValueInfoProto.Tensor(name, outputType, "N", columns));
        return this;
    }

    public byte[] ToBytes(int ml = 3) => new ModelProto
    {
        IrVersion = 8,
        OpsetImport = [new OperatorSetIdProto { Domain = "", Version = 15 }, new OperatorSetIdProto { Domain = "ai.onnx.ml", Version = ml }],
        Graph = new GraphProto
        {
            Name = "handmade",
            Nodes = [.. _nodes],
            Initializers = [.. _constants],
            Inputs = [ValueInfoProto.Tensor("x", type, "N", features)],
            Outputs = [.. _outputs],
        },
    }.ToBytes();
}

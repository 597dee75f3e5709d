using System.Collections.Immutable;

namespace Cloister.Onnx.Model;

/// <summary>A graph (onnx.proto, GraphProto): nodes in topological order, the weights they use, what goes in and out.</summary>
public sealed record GraphProto : OnnxMessage
{
    /// <summary>The graph's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>Operators, in an order in which every input is made before it is used.</summary>
    public ImmutableArray<NodeProto> Nodes { get; init; } = [];

    /// <summary>Named constants: the weights.</summary>
    public ImmutableArray<TensorProto> Initializers { get; init; } = [];

    /// <summary>What the caller gives. Before IR version 4 the initialisers are listed here too.</summary>
    public ImmutableArray<ValueInfoProto> Inputs { get; init; } = [];

    /// <summary>What the caller gets.</summary>
    public ImmutableArray<ValueInfoProto> Outputs { get; init; } = [];

    /// <summary>Known types of values between nodes.</summary>
    public ImmutableArray<ValueInfoProto> ValueInfo { get; init; } = [];

    internal static GraphProto Read(ProtoReader reader)
    {
        string name = "";
        var nodes = ImmutableArray.CreateBuilder<NodeProto>();
        var initializers = ImmutableArray.CreateBuilder<TensorProto>();
        var inputs = ImmutableArray.CreateBuilder<ValueInfoProto>();
        var outputs = ImmutableArray.CreateBuilder<ValueInfoProto>();
        var values = ImmutableArray.CreateBuilder<ValueInfoProto>();
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1: nodes.Add(reader.Message(NodeProto.Read)); break;
                case 2: name = reader.Once().Text(); break;
                case 5: initializers.Add(reader.Message(TensorProto.Read)); break;
                case 11: inputs.Add(reader.Message(ValueInfoProto.Read)); break;
                case 12: outputs.Add(reader.Message(ValueInfoProto.Read)); break;
                case 13: values.Add(reader.Message(ValueInfoProto.Read)); break;
                default: reader.KeepUnknown(); break;
            }
        }

        return new GraphProto
        {
            Name = name,
            Nodes = nodes.DrainToImmutable(),
            Initializers = initializers.DrainToImmutable(),
            Inputs = inputs.DrainToImmutable(),
            Outputs = outputs.DrainToImmutable(),
            ValueInfo = values.DrainToImmutable(),
            UnknownFields = reader.Unknown(),
            Origin = reader.Origin,
        };
    }

    internal override void WriteFields(ProtoWriter writer)
    {
        writer.Messages(1, Nodes);
        writer.Text(2, Name);
        writer.Messages(5, Initializers);
        writer.Messages(11, Inputs);
        writer.Messages(12, Outputs);
        writer.Messages(13, ValueInfo);
    }
}

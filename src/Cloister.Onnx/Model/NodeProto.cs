using System.Collections.Immutable;

namespace Cloister.Onnx.Model;

/// <summary>One operator call (onnx.proto, NodeProto).</summary>
public sealed record NodeProto : OnnxMessage
{
    /// <summary>The operator, such as <c>Conv</c>.</summary>
    public string OpType { get; init; } = "";

    /// <summary>The operator's domain; empty for ONNX's own.</summary>
    public string Domain { get; init; } = "";

    /// <summary>The node's own name; may be empty.</summary>
    public string Name { get; init; } = "";

    /// <summary>Names of the values it reads; an empty name leaves an optional input out.</summary>
    public ImmutableArray<string> Inputs { get; init; } = [];

    /// <summary>Names of the values it makes.</summary>
    public ImmutableArray<string> Outputs { get; init; } = [];

    /// <summary>Constants of the call, such as strides.</summary>
    public ImmutableArray<AttributeProto> Attributes { get; init; } = [];

    internal static NodeProto Read(ProtoReader reader)
    {
        string name = "", opType = "", domain = "";
        var inputs = ImmutableArray.CreateBuilder<string>();
        var outputs = ImmutableArray.CreateBuilder<string>();
        var attributes = ImmutableArray.CreateBuilder<AttributeProto>();
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1: inputs.Add(reader.Text()); break;
                case 2: outputs.Add(reader.Text()); break;
                case 3: name = reader.Once().Text(); break;
                case 4: opType = reader.Once().Text(); break;
                case 5: attributes.Add(reader.Message(AttributeProto.Read)); break;
                case 7: domain = reader.Once().Text(); break;
                default: reader.KeepUnknown(); break;
            }
        }

        return new NodeProto
        {
            OpType = opType,
            Domain = domain,
            Name = name,
            Inputs = inputs.DrainToImmutable(),
            Outputs = outputs.DrainToImmutable(),
            Attributes = attributes.DrainToImmutable(),
            UnknownFields = reader.Unknown(),
            Origin = reader.Origin,
        };
    }

    internal override void WriteFields(ProtoWriter writer)
    {
        writer.Texts(1, Inputs);
        writer.Texts(2, Outputs);
        writer.Text(3, Name);
        writer.Text(4, OpType);
        writer.Messages(5, Attributes);
        writer.Text(7, Domain);
    }
}

using System.Collections.Immutable;

namespace Cloister.Onnx.Model;

/// <summary>A whole model (onnx.proto, ModelProto): what produced it, the operator sets it needs, its graph.</summary>
public sealed record ModelProto : OnnxMessage
{
    /// <summary>Version of the ONNX format, 3 to 13 in practice.</summary>
    public long IrVersion { get; init; }

    /// <summary>The program that wrote the model.</summary>
    public string ProducerName { get; init; } = "";

    /// <summary>The version of that program.</summary>
    public string ProducerVersion { get; init; } = "";

    /// <summary>A reverse-DNS name space for the model.</summary>
    public string Domain { get; init; } = "";

    /// <summary>The model's own version.</summary>
    public long? ModelVersion { get; init; }

    /// <summary>The computation.</summary>
    public required GraphProto Graph { get; init; }

    /// <summary>The operator sets the graph is written in.</summary>
    public ImmutableArray<OperatorSetIdProto> OpsetImport { get; init; } = [];

    /// <summary>Free key-value pairs.</summary>
    public ImmutableArray<StringStringEntryProto> MetadataProps { get; init; } = [];

    /// <summary>The model as a file; byte for byte what was parsed where nothing was changed.</summary>
    /// <exception cref="OnnxModelException"><see cref="OnnxModelError.TooLarge"/> above 2 GiB, protobuf's own limit.</exception>
    public byte[] ToBytes() => OnnxModel.Write(this, useOrigins: true);

    internal static ModelProto Read(ProtoReader reader)
    {
        long irVersion = 0;
        long? modelVersion = null;
        string producer = "", producerVersion = "", domain = "";
        GraphProto? graph = null;
        var opsets = ImmutableArray.CreateBuilder<OperatorSetIdProto>();
        var metadata = ImmutableArray.CreateBuilder<StringStringEntryProto>();
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1: irVersion = reader.Once().Int64(); break;
                case 2: producer = reader.Once().Text(); break;
                case 3: producerVersion = reader.Once().Text(); break;
                case 4: domain = reader.Once().Text(); break;
                case 5: modelVersion = reader.Once().Int64(); break;
                case 7: graph = reader.Once().Message(GraphProto.Read); break;
                case 8: opsets.Add(reader.Message(OperatorSetIdProto.Read)); break;
                case 14: metadata.Add(reader.Message(StringStringEntryProto.Read)); break;
                default: reader.KeepUnknown(); break;
            }
        }

        return new ModelProto
        {
            IrVersion = irVersion,
            ProducerName = producer,
            ProducerVersion = producerVersion,
            Domain = domain,
            ModelVersion = modelVersion,
            Graph = graph ?? throw new OnnxModelException(OnnxModelError.MissingGraph, "The model has no graph; is this an ONNX file?"),
            OpsetImport = opsets.DrainToImmutable(),
            MetadataProps = metadata.DrainToImmutable(),
            UnknownFields = reader.Unknown(),
            Origin = reader.Origin,
        };
    }

    internal override void WriteFields(ProtoWriter writer)
    {
        writer.Int64(1, IrVersion);
        writer.Text(2, ProducerName);
        writer.Text(3, ProducerVersion);
        writer.Text(4, Domain);
        writer.Int64(5, ModelVersion);
        writer.Message(7, Graph);
        writer.Messages(8, OpsetImport);
        writer.Messages(14, MetadataProps);
    }
}

namespace Cloister.Onnx.Model;

/// <summary>One operator set (onnx.proto, OperatorSetIdProto).</summary>
public sealed record OperatorSetIdProto : OnnxMessage
{
    /// <summary>Empty for ONNX's own operators; <c>ai.onnx.ml</c>, <c>com.microsoft</c>, ...</summary>
    public string Domain { get; init; } = "";

    /// <summary>The set's version.</summary>
    public long Version { get; init; }

    internal static OperatorSetIdProto Read(ProtoReader reader)
    {
        string domain = "";
        long version = 0;
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1: domain = reader.Once().Text(); break;
                case 2: version = reader.Once().Int64(); break;
                default: reader.KeepUnknown(); break;
            }
        }

        return new OperatorSetIdProto { Domain = domain, Version = version, UnknownFields = reader.Unknown(), Origin = reader.Origin };
    }

    internal override void WriteFields(ProtoWriter writer)
    {
        writer.PresentText(1, Domain);
        writer.Int64(2, Version);
    }
}

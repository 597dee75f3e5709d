using System.Collections.Immutable;

namespace Cloister.Onnx.Model;

/// <summary>A shape of fixed, named and unknown dimensions (onnx.proto, TensorShapeProto).</summary>
public sealed record TensorShapeProto : OnnxMessage
{
    /// <summary>The dimensions; none for a scalar.</summary>
    public ImmutableArray<Dimension> Dimensions { get; init; } = [];

    internal static TensorShapeProto Read(ProtoReader reader)
    {
        var dimensions = ImmutableArray.CreateBuilder<Dimension>();
        while (reader.Next(out int field))
        {
            if (field == 1)
                dimensions.Add(reader.Message(Dimension.Read));
            else
                reader.KeepUnknown();
        }

        return new TensorShapeProto { Dimensions = dimensions.DrainToImmutable(), UnknownFields = reader.Unknown(), Origin = reader.Origin };
    }

    internal override void WriteFields(ProtoWriter writer) => writer.Messages(1, Dimensions);
}

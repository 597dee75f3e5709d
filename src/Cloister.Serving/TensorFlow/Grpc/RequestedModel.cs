using System.Buffers;
using Cloister.Serving.ProtocolBuffers;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow.Messages;

namespace Cloister.Serving.TensorFlow.Grpc;

/// <summary>The <c>ModelSpec</c> of a request: which model, which version of it, which signature.</summary>
internal sealed class RequestedModel
{
    public string Name { get; private set; } = "";

    public VersionChoice Choice { get; private set; } = VersionChoice.Newest;

    public string Signature { get; private set; } = "";

    /// <summary>Reads the message of a field; what stands in several is merged, as protobuf has it.</summary>
    public void Merge(in ReadOnlySequence<byte> message)
    {
        var reader = new WireReader(message);
        while (reader.Next(out int field, out WireType type))
        {
            switch (field)
            {
                case 1:
                    WireReader.Demand(field, type, WireType.Bytes);
                    Name = reader.Text("the model's name");
                    break;
                case 2:
                    WireReader.Demand(field, type, WireType.Bytes);
                    Choice = new VersionChoice(ReadNumber(reader.Bytes()), null);
                    break;
                case 3:
                    WireReader.Demand(field, type, WireType.Bytes);
                    Signature = reader.Text("the signature's name");
                    break;
                case 4:
                    WireReader.Demand(field, type, WireType.Bytes);
                    Choice = new VersionChoice(null, reader.Text("the version's label"));
                    break;
                default:
                    reader.Skip(type);
                    break;
            }
        }
    }

    /// <summary>Of a generated message; null if there is none.</summary>
    public static RequestedModel? Of(ModelSpec? message) => message is null ? null : new RequestedModel
    {
        Name = message.Name,
        Signature = message.SignatureName,
        Choice = message.VersionChoiceCase switch
        {
            ModelSpec.VersionChoiceOneofCase.Version => new VersionChoice(message.Version, null),
            ModelSpec.VersionChoiceOneofCase.VersionLabel => new VersionChoice(null, message.VersionLabel),
            _ => VersionChoice.Newest,
        },
    };

    /// <summary>What an answer says of the model: the version that answered, and the signature if one is told.</summary>
    public static ModelSpec Answer(ServedModel model, string? signature) => new()
    {
        Name = model.Name,
        Version = model.Version,
        SignatureName = signature is "" ? ModelSignatures.Default : signature ?? "",
    };

    // google.protobuf.Int64Value
    private static long ReadNumber(in ReadOnlySequence<byte> message)
    {
        long number = 0;
        var reader = new WireReader(message);
        while (reader.Next(out int field, out WireType type))
        {
            if (field != 1)
            {
                reader.Skip(type);
                continue;
            }
            WireReader.Demand(field, type, WireType.Varint);
            number = (long)reader.Varint();
        }
        return number;
    }
}

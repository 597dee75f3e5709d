using System.Buffers;
using System.Text;
using Cloister.Serving.ProtocolBuffers;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow.Examples;

namespace Cloister.Serving.TensorFlow.Grpc;

/// <summary>Reads the <c>Input</c> of a request (tensorflow_serving/apis/input.proto): examples, and perhaps a context that they share.</summary>
internal static class ExampleInput
{
    private const int List = 1, ListWithContext = 2;

    /// <summary>Reads the fields of this number, each an <c>Input</c>.</summary>
    /// <exception cref="ServingException">There are no examples.</exception>
    /// <exception cref="Cloister.Protocol.Grpc.GrpcException">The bytes are no message.</exception>
    public static ExampleBatch Read(in ReadOnlySequence<byte> request, int number, ServedModel model)
    {
        var batch = new ExampleBatch(model);
        var unused = new Feature();
        int kind = 0;
        // A context may stand behind the examples that it is for.
        Walk(request, number, ref kind, (message, isContext) =>
        {
            if (isContext) ReadExample(message, batch, unused, context: true);
        });
        Walk(request, number, ref kind, (message, isContext) =>
        {
            if (isContext) return;
            ReadExample(message, batch, unused, context: false);
            batch.EndExample();
        });
        return batch.Count > 0 ? batch : throw Refused("Input is empty.");
    }

    private delegate void Visit(ReadOnlySequence<byte> example, bool isContext);

    private static void Walk(in ReadOnlySequence<byte> request, int number, ref int kind, Visit visit)
    {
        var reader = new WireReader(request);
        while (reader.Next(out int field, out WireType type))
        {
            if (field != number)
            {
                reader.Skip(type);
                continue;
            }
            WireReader.Demand(field, type, WireType.Bytes);
            WalkInput(reader.Bytes(), ref kind, visit);
        }
    }

    private static void WalkInput(in ReadOnlySequence<byte> input, ref int kind, Visit visit)
    {
        var reader = new WireReader(input);
        while (reader.Next(out int field, out WireType type))
        {
            if (field is not (List or ListWithContext))
            {
                reader.Skip(type);
                continue;
            }
            WireReader.Demand(field, type, WireType.Bytes);
            // Of a oneof the last member counts; two of them say that the sender means something else.
            if (kind != 0 && kind != field) throw Refused("Input has both a list of examples and one with a context.");
            kind = field;
            WalkList(reader.Bytes(), field, visit);
        }
    }

    private static void WalkList(in ReadOnlySequence<byte> list, int kind, Visit visit)
    {
        var reader = new WireReader(list);
        while (reader.Next(out int field, out WireType type))
        {
            bool isContext = kind == ListWithContext && field == 2;
            if (field != 1 && !isContext)
            {
                reader.Skip(type);
                continue;
            }
            WireReader.Demand(field, type, WireType.Bytes);
            visit(reader.Bytes(), isContext);
        }
    }

    private static void ReadExample(in ReadOnlySequence<byte> example, ExampleBatch batch, Feature unused, bool context)
    {
        var reader = new WireReader(example);
        while (reader.Next(out int field, out WireType type))
        {
            if (field != 1)
            {
                reader.Skip(type);
                continue;
            }
            WireReader.Demand(field, type, WireType.Bytes);
            var features = new WireReader(reader.Bytes());
            while (features.Next(out int entry, out WireType entryType))
            {
                if (entry != 1)
                {
                    features.Skip(entryType);
                    continue;
                }
                WireReader.Demand(entry, entryType, WireType.Bytes);
                ReadOnlySequence<byte> value = PredictMessage.ReadEntry(features.Bytes(), out string name);
                Feature feature = batch.Of(Encoding.UTF8.GetBytes(name), context) ?? unused;
                if (feature == unused) unused.Clear();
                else if (feature.Kind != FeatureKind.None) throw Refused($"Feature: {name} stands there twice");
                ReadFeature(value, feature);
            }
        }
    }

    private static void ReadFeature(in ReadOnlySequence<byte> message, Feature feature)
    {
        var reader = new WireReader(message);
        while (reader.Next(out int field, out WireType type))
        {
            if (field is not (1 or 2 or 3))
            {
                reader.Skip(type);
                continue;
            }
            WireReader.Demand(field, type, WireType.Bytes);
            feature.Become((FeatureKind)field);
            ReadValues(reader.Bytes(), feature);
        }
    }

    private static void ReadValues(in ReadOnlySequence<byte> list, Feature feature)
    {
        var reader = new WireReader(list);
        while (reader.Next(out int field, out WireType type))
        {
            if (field != 1)
            {
                reader.Skip(type);
                continue;
            }
            if (feature.Kind == FeatureKind.Bytes)
            {
                WireReader.Demand(field, type, WireType.Bytes);
                feature.Bytes.Add(reader.Bytes().ToArray());
            }
            else if (type == WireType.Bytes)
            {
                var packed = new WireReader(reader.Bytes());
                while (!packed.IsAtEnd) ReadNumber(ref packed, feature);
            }
            else
            {
                WireReader.Demand(field, type, feature.Kind == FeatureKind.Floats ? WireType.Fixed32 : WireType.Varint);
                ReadNumber(ref reader, feature);
            }
        }
    }

    private static void ReadNumber(ref WireReader reader, Feature feature)
    {
        if (feature.Kind == FeatureKind.Floats) feature.Floats.Add(BitConverter.UInt32BitsToSingle(reader.Fixed32()));
        else feature.Integers.Add((long)reader.Varint());
    }

    private static ServingException Refused(string reason) => new(ServingError.InvalidRequest, reason);
}

using Cloister.Serving.TensorFlow.Messages;
using Cloister.Serving.Tests.TensorFlow;
using Google.Protobuf;

namespace Cloister.Serving.Tests.Fuzzing;

/// <summary>Valid messages of TF Serving for the model that fuzzing reads against.</summary>
internal static class Messages
{
    private static readonly ByteString Picture = ByteString.FromBase64("iVBORw0KGgo=");

    public static byte[] Predict() => GrpcPredictTests.Request("fuzzed",
        ("a", new TensorProto { Dtype = DataType.DtFloat, TensorShape = GrpcPredictTests.Shape(2, 2), FloatVal = { 1.5f, float.NaN } }),
        ("t", new TensorProto { Dtype = DataType.DtString, TensorShape = GrpcPredictTests.Shape(2), StringVal = { ByteString.CopyFromUtf8("x") } }),
        ("i", new TensorProto { Dtype = DataType.DtInt64, TensorShape = GrpcPredictTests.Shape(3), Int64Val = { -1, 7, long.MaxValue } }),
        ("p", new TensorProto { Dtype = DataType.DtFloat, TensorShape = GrpcPredictTests.Shape(1, 3, 2, 2), FloatVal = { 0 } })).ToByteArray();

    public static byte[] PredictContents() => GrpcPredictTests.Request("fuzzed",
        ("a", new TensorProto { Dtype = DataType.DtFloat, TensorShape = GrpcPredictTests.Shape(1, 2), TensorContent = ByteString.CopyFrom(new byte[8]) }),
        ("t", new TensorProto { Dtype = DataType.DtString, TensorShape = GrpcPredictTests.Shape(2), TensorContent = ByteString.CopyFrom([1, 2, .. "xyz"u8]) }),
        ("i", new TensorProto { Dtype = DataType.DtInt64, TensorShape = GrpcPredictTests.Shape(1), TensorContent = ByteString.CopyFrom(new byte[8]) }),
        ("p", new TensorProto { Dtype = DataType.DtFloat, TensorShape = GrpcPredictTests.Shape(0, 3, 2, 2) })).ToByteArray();

    public static byte[] Examples() => new RegressionRequest
    {
        ModelSpec = new ModelSpec { Name = "fuzzed", Version = 1 },
        Input = new Input
        {
            ExampleListWithContext = new ExampleListWithContext
            {
                Context = new Example { Features = new Features { Feature = { ["p"] = new Feature { BytesList = new BytesList { Value = { Picture } } } } } },
                Examples = { Example(1, 2), Example(3, 4) },
            },
        },
    }.ToByteArray();

    private static Example Example(float first, float second) => new()
    {
        Features = new Features
        {
            Feature =
            {
                ["a"] = new Feature { FloatList = new FloatList { Value = { first, second } } },
                ["t"] = new Feature { BytesList = new BytesList { Value = { ByteString.CopyFromUtf8("x") } } },
                ["i"] = new Feature { Int64List = new Int64List { Value = { -9 } } },
            },
        },
    };
}

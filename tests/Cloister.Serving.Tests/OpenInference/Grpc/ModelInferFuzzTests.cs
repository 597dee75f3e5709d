using System.Buffers;
using Cloister.Protocol.Tests;
using Cloister.Serving.Fuzzing;
using Cloister.Serving.OpenInference.Grpc.Wire;
using Cloister.Serving.ProtocolBuffers;
using Google.Protobuf;

namespace Cloister.Serving.Tests.OpenInference.Grpc;

/// <summary>Hostile messages, cut anywhere.</summary>
public sealed class ModelInferFuzzTests
{
    [Fact]
    public void Messages_withstand_mutations()
    {
        byte[] raw = Full(typed: false).ToByteArray(), typed = Full(typed: true).ToByteArray();
        foreach (byte length in new byte[] { 0, 1, 2, 50 })
        {
            Assert.True(RequestFuzzing.ModelInfer([length, .. raw]));
            Assert.True(RequestFuzzing.ModelInfer([length, .. typed]));
        }
        Mutations.Drive(data => RequestFuzzing.ModelInfer(data), 20_000, [0, .. raw], [1, .. raw], [0, .. typed], [7, .. typed]);
    }

    [Fact]
    public void A_message_reads_alike_however_it_is_cut()
    {
        byte[] message = Full(typed: true).ToByteArray();
        for (int length = 0; length < 40; length++)
        {
            ReadOnlySequence<byte> parts = MessageParts.Cut(message, length);
            Assert.Equal(message, Copy(parts));
        }

        // Reads every field and writes it again.
        static byte[] Copy(in ReadOnlySequence<byte> parts)
        {
            var output = new ArrayBufferWriter<byte>();
            var reader = new WireReader(parts);
            while (reader.Next(out int field, out WireType type))
            {
                Assert.Equal(WireType.Bytes, type);
                WireWriter.Bytes(output, field, reader.Bytes().ToArray());
            }
            return output.WrittenSpan.ToArray();
        }
    }

    [Fact]
    public void Integers_survive()
    {
        var random = new Random(5);
        for (int i = 0; i < 10_000; i++)
        {
            ulong value = (ulong)random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64);
            var output = new ArrayBufferWriter<byte>();
            WireWriter.Varint(output, value);
            Assert.Equal(WireWriter.SizeOfVarint(value), output.WrittenCount);
            var reader = new WireReader(MessageParts.Cut(output.WrittenSpan, i % 4));
            Assert.Equal(value, reader.Varint());
            Assert.True(reader.IsAtEnd);
        }
    }

    // One input of every kind that the fuzzed model has.
    private static ModelInferRequest Full(bool typed)
    {
        var request = new ModelInferRequest
        {
            ModelName = "fuzzed",
            ModelVersion = "1",
            Id = "größer",
            Parameters = { ["timeout"] = new InferParameter { Int64Param = 1000 }, ["own"] = new InferParameter { DoubleParam = 0.5 } },
            Outputs = { new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "y", Parameters = { ["classification"] = new InferParameter { Int64Param = 3 } } } },
        };
        Add("a", "FP32", [2, 2], new InferTensorContents { Fp32Contents = { 1, -2, 3, 4 } }, new byte[16]);
        Add("t", "BYTES", [2], new InferTensorContents { BytesContents = { ByteString.CopyFromUtf8("x"), ByteString.CopyFromUtf8("ä") } }, [1, 0, 0, 0, 120, 0, 0, 0, 0]);
        Add("i", "INT64", [1], new InferTensorContents { Int64Contents = { -7 } }, new byte[8]);
        Add("p", "FP32", [1, 3, 2, 2], new InferTensorContents { Fp32Contents = { new float[12] } }, new byte[48]);
        return request;

        void Add(string name, string datatype, long[] shape, InferTensorContents contents, byte[] raw)
        {
            var input = new ModelInferRequest.Types.InferInputTensor { Name = name, Datatype = datatype, Shape = { shape } };
            if (typed) input.Contents = contents;
            else request.RawInputContents.Add(ByteString.CopyFrom(raw));
            request.Inputs.Add(input);
        }
    }
}

using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Assessment;
using Cloister.Partitioning.Pictures;

namespace Cloister.Partitioning.Tests.Assessment;

/// <summary>A classifier of three layers over pictures of 8 x 8, with chance weights; and chance pictures for it.</summary>
internal static class TinyNet
{
    public const string First = "relu1", Second = "relu2", Pooled = "pooled", Logits = "logits";

    public static AssessedModel Model(int seed = 1, string prefix = "") => AssessedModel.Read($"tiny{seed}.onnx", Bytes(seed, prefix), Preprocessing.Parse("unit"));

    public static byte[] Bytes(int seed = 1, string prefix = "")
    {
        var random = new Random(seed);
        string N(string name) => prefix + name;
        TensorProto Weights(string name, params long[] dims) => TensorProto.Of(name, dims, (float[])[.. Enumerable.Range(0, (int)dims.Aggregate((a, b) => a * b)).Select(_ => (float)(random.NextDouble() - 0.5))]);
        NodeProto Node(string type, string[] inputs, string output, params AttributeProto[] attributes) => new() { OpType = type, Name = output, Inputs = [.. inputs], Outputs = [output], Attributes = [.. attributes] };
        AttributeProto pads = AttributeProto.Of("pads", (ReadOnlySpan<long>)[1, 1, 1, 1]), kernel = AttributeProto.Of("kernel_shape", (ReadOnlySpan<long>)[3, 3]);
        var graph = new GraphProto
        {
            Name = "tiny",
            Inputs = [ValueInfoProto.Tensor("input", TensorDataType.Float, "N", 3, 8, 8)],
            Outputs = [ValueInfoProto.Tensor("probabilities", TensorDataType.Float, "N", 5)],
            Initializers = [Weights("w1", 4, 3, 3, 3), Weights("w2", 6, 4, 3, 3), Weights("w3", 5, 6)],
            Nodes =
            [
                Node("Conv", ["input", "w1"], N("conv1"), pads, kernel),
                Node("Relu", [N("conv1")], N(First)),
                Node("Conv", [N(First), "w2"], N("conv2"), pads, kernel, AttributeProto.Of("strides", (ReadOnlySpan<long>)[2, 2])),
                Node("Relu", [N("conv2")], N(Second)),
                Node("GlobalAveragePool", [N(Second)], N("average")),
                Node("Flatten", [N("average")], N(Pooled)),
                Node("Gemm", [N(Pooled), "w3"], N(Logits), AttributeProto.Of("transB", 1)),
                Node("Softmax", [N(Logits)], "probabilities"),
            ],
        };
        return new ModelProto { IrVersion = 8, OpsetImport = [new OperatorSetIdProto { Version = 13 }], Graph = graph }.ToBytes();
    }

    /// <summary>Writes pictures into a folder and takes them.</summary>
    public static PictureSet Pictures(TestFolder folder, int fit = 6, int test = 3, int seed = 1)
    {
        string pictures = folder["pictures"];
        if (!Directory.Exists(pictures))
        {
            Directory.CreateDirectory(pictures);
            for (int i = 0; i < 2 * (fit + test); i++)
            {
                byte[] rgb = new byte[3 * 64];
                new Random(i).NextBytes(rgb);
                File.WriteAllBytes(Path.Combine(pictures, $"{i}.png"), PngWriter.Write(new Picture(8, 8, rgb)));
            }
        }
        return PictureSource.Read(new PictureRequest { Paths = [pictures], Size = Model().Size, Preprocessing = Preprocessing.Parse("unit"), Fit = fit, Test = test, Seed = seed });
    }
}

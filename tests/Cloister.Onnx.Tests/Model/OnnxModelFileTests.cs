using Cloister.Onnx.Model;
using Cloister.Tests;

namespace Cloister.Onnx.Tests.Model;

/// <summary>Models of many writers and many IR versions, read and written back.</summary>
public class OnnxModelFileTests
{
    public static TheoryData<string> Files =>
        TestData.Folder is null
            ? ["absent"]
            : [.. Directory.EnumerateFiles(TestData.Path("models"), "*.onnx", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(TestData.Path("models"), file).Replace('\\', '/')).Order(StringComparer.Ordinal)];

    [SharedDataTheory]
    [MemberData(nameof(Files))]
    public void AnUnchangedModelIsWrittenByteForByte(string file)
    {
        byte[] bytes = File.ReadAllBytes(TestData.Path("models/" + file));
        ModelProto model = OnnxModel.Parse(bytes);
        Assert.NotEmpty(model.Graph.Nodes);
        Assert.NotEmpty(model.Graph.Outputs);
        Assert.NotEmpty(model.OpsetImport);
        Assert.True(model.ToBytes().AsSpan().SequenceEqual(bytes));
    }

    /// <summary>Writers differ in field order and in packing, so the meaning is compared: every public property, down to the bytes.</summary>
    [SharedDataTheory]
    [MemberData(nameof(Files))]
    public void TheWriterAloneKeepsTheMeaning(string file)
    {
        ModelProto model = OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/" + file)));
        ModelProto rewritten = OnnxModel.Parse(OnnxModel.Write(model, useOrigins: false));
        MessageComparison.AssertEqual(model, rewritten, "model");
    }

    [SharedDataTheory]
    [InlineData("llm/stories260K.onnx")]
    [InlineData("serving/half_plus_two.onnx")]
    public void FilesInFieldOrderAreWrittenByteForByteEvenFromScratch(string file)
    {
        byte[] bytes = File.ReadAllBytes(TestData.Path("models/" + file));
        Assert.True(OnnxModel.Write(OnnxModel.Parse(bytes), useOrigins: false).AsSpan().SequenceEqual(bytes));
    }

    [SharedDataTheory]
    [MemberData(nameof(Files))]
    public void AChangedModelKeepsEverythingElse(string file)
    {
        byte[] bytes = File.ReadAllBytes(TestData.Path("models/" + file));
        ModelProto model = OnnxModel.Parse(bytes);
        ModelProto changed = OnnxModel.Parse((model with { ProducerVersion = "changed" }).ToBytes());
        Assert.Equal("changed", changed.ProducerVersion);
        byte[] restored = OnnxModel.Write(changed with { ProducerVersion = model.ProducerVersion }, useOrigins: false);
        Assert.True(restored.AsSpan().SequenceEqual(OnnxModel.Write(model, useOrigins: false)));
    }

    [SharedDataFact]
    public void FieldsMeanWhatTheSqueezeNetFileSays()
    {
        ModelProto model = OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/vision/squeezenet1.1-224.onnx")));
        Assert.Equal(13, Assert.Single(model.OpsetImport).Version);
        ValueInfoProto input = Assert.Single(model.Graph.Inputs);
        Assert.Equal("data_0", input.Name);
        TensorTypeProto type = input.Type!.TensorType!;
        Assert.Equal(TensorDataType.Float, type.ElementType);
        Assert.Equal("N", type.Shape!.Dimensions[0].Name);
        Assert.Equal([3L, 224L, 224L], type.Shape.Dimensions.Skip(1).Select(dimension => dimension.Value!.Value));
        Assert.Equal("softmaxout_1", Assert.Single(model.Graph.Outputs).Name);
        TensorProto weights = model.Graph.Initializers.First(tensor => tensor.Dims.Length == 4);
        float[] values = weights.ToFloats();
        Assert.Equal(weights.ElementCount(), values.Length);
        Assert.All(values, value => Assert.True(float.IsFinite(value)));
        Assert.Empty(OnnxModel.ExternalInitializers(model));
    }
}

using System.Text;
using Cloister.Onnx.Runtime;
using Cloister.Tests;

namespace Cloister.Onnx.Tests.Runtime;

public class BadModelTests
{
    [Fact]
    public void BytesThatAreNoModelAreRefused()
    {
        Assert.Equal(OnnxRuntimeError.InvalidProtobuf, Refused("not a model"u8.ToArray()).Error);
        Refused([]);
        Refused([0]);
        Refused(Encoding.ASCII.GetBytes("\x08\0\0\0ORTM, but ONNX Runtime's own format is not taken for granted"));
        Refused(new byte[10_000]);
    }

    [Fact]
    public void TheRuntimesOwnTextSaysWhatIsWrong()
    {
        byte[] unknown = new HandmadeModel().Input("x", 1, 4).Node("NoSuchOperator", ["x"], ["y"]).Output("y", 1, 4).ToBytes();
        Assert.Contains("NoSuchOperator", Refused(unknown).Message, StringComparison.Ordinal);

        byte[] mismatched = new HandmadeModel().Input("x", 1, 4).Inline<float>("w", 1, [3], 1, 2, 3).Node("Add", ["x", "w"], ["y"]).Output("y", 1, 4).ToBytes();
        Assert.Contains("Incompatible dimensions", Refused(mismatched).Message, StringComparison.Ordinal);

        byte[] newer = new HandmadeModel().Input("x", 1, 4).Node("Relu", ["x"], ["y"]).Output("y", 1, 4).ToBytes(opset: 999);
        Assert.Contains("999", Refused(newer).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OutputsThatAreNoTensorsAreRefusedAtOnce()
    {
        byte[] model = new HandmadeModel().Input("x", 1, 4).Node("SequenceConstruct", ["x", "x"], ["s"]).OutputSequence("s", 1).ToBytes();
        OnnxRuntimeException refusal = Refused(model);
        Assert.Equal(OnnxRuntimeError.NotImplemented, refusal.Error);
        Assert.Contains("'s' is not a tensor", refusal.Message, StringComparison.Ordinal);
    }

    [SharedDataFact]
    public void EveryTruncationIsRefused()
    {
        byte[] model = File.ReadAllBytes(TestData.Path("models/serving/half_plus_two.onnx"));
        for (int length = 0; length < model.Length; length++)
            Refused(model[..length]);
    }

    [Fact]
    public void MutatedModelsAreRefusedOrLoaded()
    {
        byte[] outside = new HandmadeModel().Input("x", 1, -1, 256).External("W", 1, [256, 128], "w", 64, 256 * 128 * 4).External("b", 1, [128], "w")
            .Node("MatMul", ["x", "W"], ["t"]).Node("Add", ["t", "b"], ["y"]).Output("y", 1, -1, 128).ToBytes();
        byte[][] models = [HandmadeModel.Relu(), RunTests.EndlessLoop(), outside];
        for (int seed = 1; seed <= 600; seed++)
        {
            var random = new Random(seed);
            byte[] model = (byte[])models[seed % models.Length].Clone();
            for (int change = random.Next(1, 5); change > 0; change--)
                model[random.Next(model.Length)] = (byte)random.Next(256);
            OrtSession.Fuzz(model.AsSpan(0, random.Next(4) == 0 ? random.Next(model.Length) : model.Length));
        }
    }

    [SharedDataFact]
    public void MutationsOfARealModelAreRefusedOrLoaded()
    {
        byte[] model = File.ReadAllBytes(TestData.Path("models/serving/half_plus_two.onnx"));
        for (int seed = 1; seed <= 200; seed++)
        {
            var random = new Random(seed);
            byte[] changed = (byte[])model.Clone();
            for (int change = random.Next(1, 4); change > 0; change--)
                changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
            OrtSession.Fuzz(changed);
        }
    }

    private static OnnxRuntimeException Refused(byte[] model)
    {
        OnnxRuntimeException refusal = Assert.Throws<OnnxRuntimeException>(() => OrtSession.FromMemory(model));
        Assert.NotEqual("", refusal.Message);
        Assert.Equal((int)refusal.Error, refusal.Code);
        return refusal;
    }
}

using System.Runtime.InteropServices;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Tests;

namespace Cloister.Onnx.Tests.Runtime;

public class ExternalWeightsTests
{
    private const int Float = 1, Int64 = 7, Bool = 9, Inner = 256, Outer = 128; // 256 x 128 floats are 128 KiB: large enough to be lent

    [Theory]
    [InlineData(64)] // at the buffer's own alignment
    [InlineData(4)]
    [InlineData(3)] // misaligned: copied
    public void SeveralWeightsLieAtOffsetsOfSeveralFiles(int offset)
    {
        long bytes = Inner * Outer * 4;
        byte[] model = new HandmadeModel().Input("x", Float, -1, Inner)
            .External("W", Float, [Inner, Outer], "dir/w.bin", offset, bytes).External("V", Float, [Outer, Inner], "dir/w.bin", offset + bytes)
            .External("b", Float, [Inner], "b.bin")
            .Node("MatMul", ["x", "W"], ["t"]).Node("MatMul", ["t", "V"], ["u"]).Node("Add", ["u", "b"], ["y"]).Output("y", Float, -1, Inner).ToBytes();
        using var file = PinnedBuffer.Allocate(offset + 2 * bytes);
        using var bias = PinnedBuffer.Allocate(Inner * 4);
        Fill(file, offset, Inner * Outer, i => i % 7 - 3);
        Fill(file, (int)(offset + bytes), Inner * Outer, i => i % 5 - 2);
        Fill(bias, 0, Inner, i => i);

        using var session = OrtSession.FromMemory(model, new OrtSessionOptions { DisablePrepacking = true },
            Weights(("dir/w.bin", file), ("b.bin", bias), ("unused", bias)));
        Assert.True(session.WeightsInPlace);
        file.Dispose(); // the session keeps what it uses
        float[] x = [.. Enumerable.Range(0, Inner).Select(i => (float)(i % 3))];
        using var input = OrtTensor.OverPinned<float>(x, [1, Inner]);
        using OrtTensor output = Assert.Single(session.Run(new Dictionary<string, OrtTensor> { ["x"] = input }));

        float[] t = new float[Outer], y = new float[Inner];
        for (int j = 0; j < Outer; j++)
            for (int i = 0; i < Inner; i++)
                t[j] += x[i] * ((i * Outer + j) % 7 - 3);
        for (int j = 0; j < Inner; j++)
        {
            for (int i = 0; i < Outer; i++)
                y[j] += t[i] * ((i * Inner + j) % 5 - 2);
            y[j] += j;
        }
        Assert.Equal(y, output.Span<float>()); // whole numbers: exact in any order
    }

    [Fact]
    public void ShapesSubgraphsAndConstantsMayBeExternalToo()
    {
        HandmadeModel then = new HandmadeModel().External("k", Float, [4], "w.bin", 16).Node("Add", ["r", "k"], ["o"]).Output("o", Float, 2, 4);
        HandmadeModel otherwise = new HandmadeModel()
            .Node("Constant", [], ["c"], HandmadeModel.ExternalTensor("value", "c", Float, [4], "w.bin", 32)).Node("Mul", ["r", "c"], ["p"]).Output("p", Float, 2, 4);
        byte[] model = new HandmadeModel().Input("x", Float, 8).Input("if", Bool).External("shape", Int64, [2], "w.bin", 0, 16)
            .Node("Reshape", ["x", "shape"], ["r"])
            .Node("If", ["if"], ["y"], HandmadeModel.Graph("then_branch", then), HandmadeModel.Graph("else_branch", otherwise)).Output("y", Float, 2, 4).ToBytes();
        using var file = PinnedBuffer.Allocate(48);
        MemoryMarshal.Cast<byte, long>(file.Span(0, 16))[0] = -1;
        MemoryMarshal.Cast<byte, long>(file.Span(0, 16))[1] = 4;
        MemoryMarshal.Cast<byte, float>(file.Span(16, 16)).Fill(10);
        MemoryMarshal.Cast<byte, float>(file.Span(32, 16)).Fill(3);

        using var session = OrtSession.FromMemory(model, null, Weights(("w.bin", file)));
        Assert.False(session.WeightsInPlace); // all small: written into the model
        using var x = OrtTensor.OverPinned<float>(new float[] { 1, 2, 3, 4, 5, 6, 7, 8 }, [8]);
        foreach (bool branch in new[] { true, false })
        {
            using var condition = OrtTensor.OverPinned<bool>(new[] { branch }, []);
            using OrtTensor y = Assert.Single(session.Run(new Dictionary<string, OrtTensor> { ["x"] = x, ["if"] = condition }));
            Assert.Equal(Enumerable.Range(1, 8).Select(i => branch ? i + 10f : i * 3f), y.Span<float>().ToArray());
        }
    }

    [Theory]
    [InlineData(GraphOptimization.All, false)]
    [InlineData(GraphOptimization.None, true)]
    public void AWeightThatAnOptimisationChangesIsCopiedUnlessThatIsForbidden(GraphOptimization level, bool inPlace)
    {
        const int channels = 64;
        byte[] model = new HandmadeModel().Input("x", Float, -1, channels, 4, 4).External("W", Float, [channels, channels, 3, 3], "w")
            .Inline("s", Float, [channels], Enumerable.Repeat(2f, channels).ToArray()).Inline("b", Float, [channels], new float[channels])
            .Inline("m", Float, [channels], new float[channels]).Inline("v", Float, [channels], Enumerable.Repeat(1f, channels).ToArray())
            .Node("Conv", ["x", "W"], ["t"], HandmadeModel.Ints("kernel_shape", 3, 3)).Node("BatchNormalization", ["t", "s", "b", "m", "v"], ["y"])
            .Output("y", Float, -1, channels, 2, 2).ToBytes();
        using var file = PinnedBuffer.Allocate(channels * channels * 9 * 4);
        Fill(file, 0, channels * channels * 9, i => 1);

        var options = new OrtSessionOptions { Level = level, DisablePrepacking = true };
        using var session = OrtSession.FromMemory(model, options, Weights(("w", file)));
        Assert.Equal(inPlace, session.WeightsInPlace);
        using var x = OrtTensor.Allocate<float>([1, channels, 4, 4]);
        x.Span<float>().Fill(1);
        using OrtTensor y = Assert.Single(session.Run(new Dictionary<string, OrtTensor> { ["x"] = x }));
        Assert.All(y.Span<float>().ToArray(), value => Assert.Equal(channels * 9 * 2, value, 0.05));

        if (!inPlace)
            Assert.Throws<OnnxRuntimeException>(() => OrtSession.FromMemory(model, options with { RequireWeightsInPlace = true }, Weights(("w", file))));
    }

    [Theory]
    [InlineData("w.bin", 0, 12, OnnxModelError.BadExternalData)] // length is not that of the shape
    [InlineData("w.bin", 4, 16, OnnxModelError.BadExternalData)] // ends beyond the file
    [InlineData("w.bin", long.MaxValue, 16, OnnxModelError.BadExternalData)]
    [InlineData("other.bin", 0, 16, OnnxModelError.BadExternalData)]
    [InlineData("../w.bin", 0, 16, OnnxModelError.BadExternalData)]
    [InlineData("/etc/hostname", 0, 16, OnnxModelError.BadExternalData)]
    [InlineData("a/../w.bin", 0, 16, OnnxModelError.BadExternalData)]
    [InlineData("", 0, 16, OnnxModelError.BadExternalData)]
    public void ExternalDataThatAreNotInTheWeightsAreRefused(string location, long offset, long length, OnnxModelError error)
    {
        using var file = PinnedBuffer.Allocate(16);
        OnnxModelException refusal = Assert.Throws<OnnxModelException>(
            () => OrtSession.FromMemory(AddsExternal(location, offset, length), null, Weights(("w.bin", file))));
        Assert.Equal(error, refusal.Error);
    }

    [Fact]
    public void WithoutWeightsNoFileIsRead()
    {
        // A file that is really there, under the working directory, where ONNX Runtime looks by itself.
        string there = Path.GetRelativePath(Environment.CurrentDirectory, typeof(ExternalWeightsTests).Assembly.Location);
        foreach (string location in new[] { there, Path.GetFileName(there), Path.GetFullPath(there), "../" + there, "lent", "missing.bin", "" })
        {
            foreach (byte[] model in new[] { AddsExternal(location, 0, 16), AddsExternalConstant(location, 0, 16) })
                Assert.Throws<OnnxRuntimeException>(() => OrtSession.FromMemory(model));
        }
    }

    [Fact]
    public void AnAddressInMemoryIsNoExternalData()
    {
        nint memory = Marshal.AllocHGlobal(16); // so that believing it would not even crash
        try
        {
            using var file = PinnedBuffer.Allocate(16);
            foreach (byte[] model in new[] { AddsExternal("*/_ORT_MEM_ADDR_/*", memory, 16), AddsExternalConstant("*/_ORT_MEM_ADDR_/*", memory, 16) })
            {
                Assert.Equal(OnnxRuntimeError.InvalidGraph, Assert.Throws<OnnxRuntimeException>(() => OrtSession.FromMemory(model)).Error);
                Assert.ThrowsAny<Exception>(() => OrtSession.FromMemory(model, null, Weights(("w", file))));
            }
        }
        finally
        {
            Marshal.FreeHGlobal(memory);
        }
    }

    [Fact]
    public void NoFolderStaysBehind()
    {
        string temp = Path.GetTempPath();
        byte[] model = new HandmadeModel().Input("x", Float, -1, Inner).External("W", Float, [Inner, Outer], "w").Node("MatMul", ["x", "W"], ["y"])
            .Output("y", Float, -1, Outer).ToBytes();
        using var file = PinnedBuffer.Allocate(Inner * Outer * 4);
        string path;
        using (WeightsFolder folder = WeightsFolder.Create())
        {
            path = folder.Path;
            Assert.StartsWith(temp, path, StringComparison.Ordinal);
            Assert.Equal([WeightsFolder.FileName], Directory.GetFiles(path).Select(Path.GetFileName));
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
        }
        Assert.False(Directory.Exists(path));
        using var session = OrtSession.FromMemory(model, null, Weights(("w", file)));
        Assert.True(session.WeightsInPlace);
    }

    [SharedDataFact]
    public void ARealNetworkGivesTheSameBitsWithItsWeightsOutside()
    {
        byte[] whole = File.ReadAllBytes(TestData.Path("models/vision/mobilenetv2-1.0-224.onnx"));
        ModelProto model = OnnxModel.Parse(whole);
        using var file = PinnedBuffer.Allocate(whole.Length);
        int at = 0;
        TensorProto[] outside = [.. model.Graph.Initializers.Select(tensor =>
        {
            if (tensor.RawData is not { } raw)
                return tensor;
            raw.Span.CopyTo(file.Span(at, raw.Length));
            var moved = tensor with
            {
                RawData = null,
                DataLocation = 1,
                ExternalData = [new StringStringEntryProto { Key = "location", Value = "weights" },
                    new StringStringEntryProto { Key = "offset", Value = at.ToString(System.Globalization.CultureInfo.InvariantCulture) }],
            };
            at += raw.Length;
            return moved;
        })];
        byte[] graph = (model with { Graph = model.Graph with { Initializers = [.. outside] } }).ToBytes();
        Assert.True(graph.Length < whole.Length / 20);

        using var x = OrtTensor.Allocate<float>([1, 3, 224, 224]);
        var random = new Random(1);
        foreach (ref float value in x.Span<float>())
            value = random.NextSingle() * 2 - 1;
        var options = new OrtSessionOptions { Level = GraphOptimization.Extended };
        using var inside = OrtSession.FromMemory(whole, options);
        using var split = OrtSession.FromMemory(graph, options, Weights(("weights", file)));
        using OrtTensor expected = inside.Run(new Dictionary<string, OrtTensor> { [inside.Inputs[0].Name] = x })[0];
        using OrtTensor actual = split.Run(new Dictionary<string, OrtTensor> { [inside.Inputs[0].Name] = x })[0];
        Assert.Equal(expected.Bytes, actual.Bytes);
        Assert.True(split.WeightsInPlace);
    }

    internal static Dictionary<string, ExternalWeights> Weights(params (string Name, PinnedBuffer Buffer)[] files) =>
        files.ToDictionary(file => file.Name, file => new ExternalWeights(file.Buffer));

    private static byte[] AddsExternal(string location, long offset, long length) =>
        new HandmadeModel().Input("x", Float, 4).External("W", Float, [4], location, offset, length).Node("Add", ["x", "W"], ["y"]).Output("y", Float, 4).ToBytes();

    private static byte[] AddsExternalConstant(string location, long offset, long length) => new HandmadeModel().Input("x", Float, 4)
        .Node("Constant", [], ["k"], HandmadeModel.ExternalTensor("value", "k", Float, [4], location, offset, length))
        .Node("Add", ["x", "k"], ["y"]).Output("y", Float, 4).ToBytes();

    private static void Fill(PinnedBuffer file, int offset, int count, Func<int, float> value)
    {
        Span<byte> bytes = file.Span(offset, count * 4);
        for (int i = 0; i < count; i++)
            System.Buffers.Binary.BinaryPrimitives.WriteSingleLittleEndian(bytes[(i * 4)..], value(i));
    }
}

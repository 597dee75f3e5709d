using Cloister.Onnx.Runtime;

namespace Cloister.Onnx.Tests.Runtime;

public class RunTests
{
    private const int Float = 1, Int64 = 7, String = 8, Bool = 9;

    [Fact]
    public void TheSameTensorsServeManyRuns()
    {
        using var session = OrtSession.FromMemory(HandmadeModel.Relu());
        float[] values = new float[8];
        using var input = OrtTensor.OverPinned<float>(values, [1, 8]);
        using var output = OrtTensor.Allocate<float>([1, 8]);
        OrtTensor?[] outputs = [output];
        for (int round = -5; round < 5; round++)
        {
            Array.Fill(values, round);
            session.Run([input], outputs);
            Assert.All(output.Span<float>().ToArray(), value => Assert.Equal(Math.Max(0, round), value));
        }
        Assert.Same(output, outputs[0]);
    }

    [Fact]
    public void AnOutputAllocatedByTheRuntimeOutlivesItsSession()
    {
        OrtTensor?[] outputs = [null];
        using (var session = OrtSession.FromMemory(HandmadeModel.Relu()))
        using (var input = OrtTensor.OverPinned<float>(new float[] { -1, 2, -3, 4, -5, 6, -7, 8 }, [1, 8]))
            session.Run([input], outputs);
        using OrtTensor output = outputs[0]!;
        Assert.Equal([0, 2, 0, 4, 0, 6, 0, 8], output.Span<float>());
        Assert.Equal([1, 8], output.Shape);
        Assert.Equal(32, output.ByteLength);
    }

    [Fact]
    public void StringsGoInAndComeOut()
    {
        byte[] model = new HandmadeModel().Input("x", String, -1).Node("Identity", ["x"], ["y"]).Output("y", String, -1).ToBytes();
        using var session = OrtSession.FromMemory(model);
        string[] texts = ["", "plain", "grün 🦉", "two\nlines"];
        using var input = OrtTensor.FromStrings(texts, [4]);
        OrtTensor?[] outputs = [null];
        session.Run([input], outputs);
        using OrtTensor output = outputs[0]!;
        Assert.Equal(texts, input.ReadStrings());
        Assert.Equal(texts, output.ReadStrings());
        Assert.Throws<InvalidOperationException>(() => output.Bytes.Length);
        Assert.Throws<ArgumentException>(() => OrtTensor.FromStrings(["cut\0here"], [1]));
        Assert.Throws<ArgumentException>(() => OrtTensor.FromStrings(["one"], [2]));
        using var none = OrtTensor.FromStrings([], [0]);
        Assert.Empty(none.ReadStrings());
    }

    [Fact]
    public void ManyInputsAndOutputsRun()
    {
        string[] names = [.. Enumerable.Range(0, 40).Select(i => $"x{i}")];
        HandmadeModel model = new();
        foreach (string name in names)
            model.Input(name, Int64, 2).Node("Neg", [name], [name + "n"]).Output(name + "n", Int64, 2);
        using var session = OrtSession.FromMemory(model.ToBytes());
        OrtTensor[] inputs = [.. Enumerable.Range(0, 40).Select(i => OrtTensor.OverPinned<long>(new long[] { i, -i }, [2]))];
        OrtTensor?[] outputs = new OrtTensor?[40];
        session.Run(inputs, outputs);
        for (int i = 0; i < 40; i++)
        {
            Assert.Equal([-i, i], outputs[i]!.Span<long>());
            inputs[i].Dispose();
            outputs[i]!.Dispose();
        }
    }

    [Fact]
    public void ScalarsAndEmptyTensorsAreTensors()
    {
        byte[] model = new HandmadeModel().Input("x", Float).Input("e", Float, -1).Node("Neg", ["x"], ["y"]).Node("Neg", ["e"], ["f"])
            .Output("y", Float).Output("f", Float, -1).ToBytes();
        using var session = OrtSession.FromMemory(model);
        using var scalar = OrtTensor.OverPinned<float>(new float[] { 3 }, []);
        using var empty = OrtTensor.Allocate<float>([0]);
        OrtTensor[] outputs = session.Run(new Dictionary<string, OrtTensor> { ["e"] = empty, ["x"] = scalar });
        Assert.Equal([-3f], outputs[0].Span<float>());
        Assert.Equal(0, outputs[1].ElementCount);
        Assert.True(outputs[1].Span<float>().IsEmpty);
        Assert.Empty(outputs[0].Shape.ToArray());
        Array.ForEach(outputs, output => output.Dispose());
    }

    [Fact]
    public void WhatDoesNotFitIsRefusedWithNameAndReason()
    {
        using var session = OrtSession.FromMemory(HandmadeModel.Relu());
        using var right = OrtTensor.Allocate<float>([1, 8]);
        using var wide = OrtTensor.Allocate<float>([1, 9]);
        using var flat = OrtTensor.Allocate<float>([8]);
        using var doubles = OrtTensor.Allocate<double>([1, 8]);
        OrtTensor?[] one = [null];

        Assert.Equal("The input 'x' wants shape [-1,8], not [1,9]. (Parameter 'inputs')", Refused(() => session.Run([wide], one)));
        Assert.Equal("The input 'x' wants shape [-1,8], not [8]. (Parameter 'inputs')", Refused(() => session.Run([flat], one)));
        Assert.Equal("The input 'x' wants elements of type Float, not Double. (Parameter 'inputs')", Refused(() => session.Run([doubles], one)));
        Assert.Equal("The output 'y' wants elements of type Float, not Double. (Parameter 'outputs')", Refused(() => session.Run([right], [doubles])));
        Assert.Contains("1 inputs", Refused(() => session.Run([right, right], one)), StringComparison.Ordinal);
        Assert.Contains("1 outputs", Refused(() => session.Run([right], [])), StringComparison.Ordinal);
        Assert.Contains("no tensor for the input 'x'", Refused(() => session.Run([null!], one)), StringComparison.Ordinal);
        Assert.Contains("'x' is missing", Refused(() => session.Run(new Dictionary<string, OrtTensor> { ["z"] = right })), StringComparison.Ordinal);
        Assert.Contains("no input 'z'; it wants 'x'",
            Refused(() => session.Run(new Dictionary<string, OrtTensor> { ["x"] = right, ["z"] = right })), StringComparison.Ordinal);

        // What only the runtime can know: an output of the allowed shape, but not of this run's.
        using var two = OrtTensor.Allocate<float>([2, 8]);
        OnnxRuntimeException mismatch = Assert.Throws<OnnxRuntimeException>(() => session.Run([right], [two]));
        Assert.Contains("shape", mismatch.Message, StringComparison.Ordinal);
        session.Run([right], one); // and the session is none the worse
        one[0]!.Dispose();
    }

    [Fact]
    public void TensorsHaveTheLengthOfTheirShapeOrAreRefused()
    {
        using var buffer = PinnedBuffer.Allocate(16);
        Assert.Throws<ArgumentException>(() => OrtTensor.OverPinned<float>(buffer, [5]));
        Assert.Throws<ArgumentException>(() => OrtTensor.OverPinned<float>(buffer, [3]));
        Assert.Throws<ArgumentException>(() => OrtTensor.OverPinned<float>(new float[4], [5]));
        Assert.Throws<ArgumentException>(() => OrtTensor.OverPinned<float>(new float[4], [-4]));
        Assert.Throws<ArgumentException>(() => OrtTensor.Allocate<float>([long.MaxValue, 4]));
        Assert.Throws<OverflowException>(() => OrtTensor.Allocate<float>([long.MaxValue]));
        Assert.Throws<ArgumentException>(() => OrtTensor.OverPinned(TensorElementType.Float, buffer, 8, [3]));
        Assert.Throws<ArgumentException>(() => OrtTensor.OverPinned(TensorElementType.Float, buffer, -4, [3]));
        Assert.Throws<ArgumentException>(() => OrtTensor.Allocate(TensorElementType.String, [1]));
        Assert.Throws<ArgumentException>(() => OrtTensor.Allocate<char>([1]));
        using var tensor = OrtTensor.OverPinned(TensorElementType.Float, buffer, 8, [2]);
        Assert.Throws<InvalidOperationException>(() => tensor.Span<int>().Length);
        tensor.Span<float>()[1] = 1;
        Assert.Equal(BitConverter.GetBytes(1f), buffer.Span(12, 4));
    }

    [Fact]
    public async Task ATerminatedRunEndsAndItsOptionsCanBeUsedAgain()
    {
        using var session = OrtSession.FromMemory(EndlessLoop());
        using var options = new OrtRunOptions();
        using var input = OrtTensor.Allocate<float>([1]);
        using var rounds = OrtTensor.OverPinned<long>(new long[] { long.MaxValue }, []);
        using var go = OrtTensor.OverPinned<bool>(new[] { true }, []);

        Task run = Task.Factory.StartNew(
            () => session.Run([rounds, go, input], new OrtTensor?[1], options), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        options.Terminate();
        OnnxRuntimeException stopped = await Assert.ThrowsAsync<OnnxRuntimeException>(() => run);
        Assert.Contains("terminate", stopped.Message, StringComparison.OrdinalIgnoreCase);
        Assert.True(options.Terminated);

        rounds.Span<long>()[0] = 3;
        input.Span<float>()[0] = 1;
        Assert.Throws<OnnxRuntimeException>(() => session.Run([rounds, go, input], new OrtTensor?[1], options)); // still terminated
        options.Reset();
        using var output = OrtTensor.Allocate<float>([1]);
        session.Run([rounds, go, input], [output], options);
        Assert.Equal(8, output.Span<float>()[0]);
    }

    [Fact]
    public void TerminatingAfterDisposalDoesNothing()
    {
        var options = new OrtRunOptions();
        options.Dispose();
        options.Dispose();
        options.Terminate();
        Assert.True(options.Terminated);
    }

    /// <summary>y = x doubled `rounds` times while `go`.</summary>
    internal static byte[] EndlessLoop()
    {
        HandmadeModel body = new HandmadeModel().Input("i", Int64).Input("go_in", Bool).Input("v", Float, 1)
            .Node("Identity", ["go_in"], ["go_out"]).Node("Add", ["v", "v"], ["w"]).Output("go_out", Bool).Output("w", Float, 1);
        return new HandmadeModel().Input("rounds", Int64).Input("go", Bool).Input("x", Float, 1)
            .Node("Loop", ["rounds", "go", "x"], ["y"], HandmadeModel.Graph("body", body)).Output("y", Float, 1).ToBytes();
    }

    private static string Refused(Action run) => Assert.Throws<ArgumentException>(run).Message;
}

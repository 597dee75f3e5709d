using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Partitioning.Tests.Runner;

public sealed class PartitionedRunnerTests
{
    private static readonly AcceleratorPoolOptions Inside = new() { Fallback = AcceleratorFallback.Inside };

    [Fact]
    public async Task Parts_run_one_by_one_and_what_lay_between_is_gone()
    {
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [], Inside, NullLogger.Instance);
        using var runner = new PartitionedRunner(Relu("in", "x"), pool, Relu("y", "out"));
        Assert.Equal(("in", "out"), (runner.Inputs[0].Name, runner.Outputs[0].Name));
        using OrtTensor input = TinyModels.Tensor(-1, 2, 3, 4);
        OrtTensor[] crossing = runner.RunFront([input]);
        Assert.Equal([0f, 2, 3, 4], crossing[0].Span<float>().ToArray());
        OrtTensor[] returned = await runner.RunBackAsync(crossing, RunningHost.Patience, CancellationToken.None);
        Assert.Throws<ObjectDisposedException>(() => { _ = crossing[0].Bytes; });
        OrtTensor[] outputs = runner.RunTail(returned);
        Assert.Throws<ObjectDisposedException>(() => { _ = returned[0].Bytes; });
        Assert.Equal([0f, 4, 6, 8], outputs[0].Span<float>().ToArray());
        outputs[0].Dispose();
    }

    [Fact]
    public async Task Tensors_find_each_other_by_name()
    {
        using BackNet back = TinyModels.Open(TinyModels.TwoByTwo());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [], Inside, NullLogger.Instance);
        // The front gives b before a, the BackNet reads a before b.
        byte[] front = TinyModels.Proto(
            [ValueInfoProto.Tensor("in", TensorDataType.Float, "N", 3), ValueInfoProto.Tensor("bits", TensorDataType.Bool, "N", 5)],
            [ValueInfoProto.Tensor("b", TensorDataType.Bool, "N", 5), ValueInfoProto.Tensor("a", TensorDataType.Float, "N", 3)], [],
            new NodeProto { OpType = "Not", Inputs = ["bits"], Outputs = ["b"] }, new NodeProto { OpType = "Neg", Inputs = ["in"], Outputs = ["a"] }).ToBytes();
        using var runner = new PartitionedRunner(OrtSession.FromMemory(front), pool, null);
        using OrtTensor numbers = OrtTensor.OverPinned(new float[] { -1, 0, 0 }.AsMemory(), [1, 3]), bits = OrtTensor.Allocate<bool>([1, 5]);
        OrtTensor[] outputs = await runner.RunAsync([numbers, bits], RunningHost.Patience, CancellationToken.None);
        Assert.Equal(new bool[5], outputs[0].Span<bool>().ToArray());
        Assert.Equal([1f, 2], outputs[1].Span<float>().ToArray());
        foreach (OrtTensor output in outputs) output.Dispose();
    }

    [Fact]
    public async Task Parts_of_different_models_are_refused()
    {
        using BackNet back = TinyModels.Open(TinyModels.Twice()), two = TinyModels.Open(TinyModels.TwoByTwo());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [], Inside, NullLogger.Instance), other = AcceleratorPool.Start(two, [], Inside, NullLogger.Instance);
        using OrtSession wrongName = Relu("in", "z"), right = Relu("in", "x"), wrongTail = Relu("z", "out"), twoTail = Relu("p", "out");
        foreach ((OrtSession front, AcceleratorPool its, OrtSession? tail) in new[] { (wrongName, pool, null), (right, pool, wrongTail), (right, other, null), (right, other, twoTail) })
            Assert.Equal(PartitioningError.BackNetRefused, Assert.Throws<PartitioningException>(() => { new PartitionedRunner(front, its, tail).Dispose(); }).Error);
    }

    private static OrtSession Relu(string input, string output) => OrtSession.FromMemory(TinyModels.Proto(
        [ValueInfoProto.Tensor(input, TensorDataType.Float, "N", 4)], [ValueInfoProto.Tensor(output, TensorDataType.Float, "N", 4)], [],
        new NodeProto { OpType = "Relu", Inputs = [input], Outputs = [output] }).ToBytes());
}

using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Cloister.Partitioning.Runner.Wire;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>Each case: an accelerator that does one thing wrong, then an honest connection; the caller gets the right answer, and the fault its number.</summary>
public sealed class HostileAcceleratorTests
{
    private static readonly TimeSpan Patience = RunningHost.Patience;

    public static TheoryData<string, AcceleratorFault> Cases => new()
    {
        { "closes at once", AcceleratorFault.Disconnected },
        { "another protocol", AcceleratorFault.BadFrame },
        { "another magic", AcceleratorFault.WrongProtocol },
        { "another version", AcceleratorFault.WrongProtocol },
        { "refuses the version", AcceleratorFault.WrongProtocol },
        { "impossible limits", AcceleratorFault.BadFrame },
        { "no model is small enough", AcceleratorFault.ModelRefused },
        { "refuses the model", AcceleratorFault.ModelRefused },
        { "other inputs", AcceleratorFault.OtherModel },
        { "other outputs", AcceleratorFault.OtherModel },
        { "other type", AcceleratorFault.OtherModel },
        { "ready before asked", AcceleratorFault.BadFrame },
        { "names too long", AcceleratorFault.BadFrame },
        { "closes in a run", AcceleratorFault.Disconnected },
        { "tears a header", AcceleratorFault.TornFrame },
        { "tears an answer", AcceleratorFault.TornFrame },
        { "unknown kind", AcceleratorFault.BadFrame },
        { "workload's kind", AcceleratorFault.BadFrame },
        { "reserved bytes", AcceleratorFault.BadFrame },
        { "endless frame", AcceleratorFault.BadFrame },
        { "greets again", AcceleratorFault.BadFrame },
        { "pong unasked", AcceleratorFault.UnknownAnswer },
        { "unknown id", AcceleratorFault.UnknownAnswer },
        { "id zero", AcceleratorFault.UnknownAnswer },
        { "next id", AcceleratorFault.UnknownAnswer },
        { "answers before asked", AcceleratorFault.UnknownAnswer },
        { "other input", AcceleratorFault.OtherInput },
        { "no tensors", AcceleratorFault.WrongTensors },
        { "one row more", AcceleratorFault.WrongTensors },
        { "another shape of one size", AcceleratorFault.WrongTensors },
        { "another type of one size", AcceleratorFault.WrongTensors },
        { "two tensors", AcceleratorFault.WrongTensors },
        { "elements missing", AcceleratorFault.WrongTensors },
        { "elements left over", AcceleratorFault.WrongTensors },
        { "NaN", AcceleratorFault.BadValues },
        { "infinity", AcceleratorFault.BadValues },
        { "refuses the run", AcceleratorFault.RunRefused },
        { "says the run failed", AcceleratorFault.RunRefused },
        { "refuses everything", AcceleratorFault.RunRefused },
        { "a flood of refusals", AcceleratorFault.UnknownAnswer },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_fault_ends_the_connection_and_the_caller_gets_the_right_answer(string what, AcceleratorFault fault)
    {
        await using var accelerator = new ScriptedAccelerator((peer, number) => number == 0 ? MisbehaveAsync(peer, what) : HonestAsync(peer));
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        var watch = new FaultWatch();
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [accelerator.Address], new AcceleratorPoolOptions { StallTimeout = Patience, FirstBackoff = TimeSpan.FromMilliseconds(1) }, watch);
        using OrtTensor input = TinyModels.Tensor(1, 2, 3, 4);
        OrtTensor[] outputs = await pool.RunAsync([input], Patience, CancellationToken.None);
        Assert.Equal([2f, 4, 6, 8], outputs[0].Span<float>().ToArray());
        outputs[0].Dispose();
        await watch.FirstAsync(FaultWatch.Failed); // where the inside judged, the answer may come first
        Assert.Equal([new(fault, 1)], pool.Statistics.Faults);
        Assert.InRange(accelerator.Connections, 1, 2);
    }

    private static async Task HonestAsync(ScriptedAccelerator.Peer peer)
    {
        await peer.GreetAsync();
        while (true) await peer.AnswerAsync(await peer.RunAsync());
    }

    private static async Task MisbehaveAsync(ScriptedAccelerator.Peer peer, string what)
    {
        switch (what)
        {
            case "closes at once": return;
            case "another protocol": await peer.SendRawAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray()); break;
            case "another magic": await peer.SendAsync(FrameKind.Welcome, 0, new byte[Greeting.WelcomeSize]); break;
            case "another version":
                byte[] welcome = new Greeting(1, 1, 1).Welcome();
                welcome[8]++;
                await peer.SendAsync(FrameKind.Welcome, 0, welcome);
                break;
            case "refuses the version": await peer.SendAsync(FrameKind.Refusal, 0, new RefusalNote(RefusalCode.Protocol, "no").Write()); break;
            case "impossible limits": await peer.SendAsync(FrameKind.Welcome, 0, new Greeting(0, 1, 1).Welcome()); break;
            case "no model is small enough": await peer.SendAsync(FrameKind.Welcome, 0, new Greeting(1, 1, 1).Welcome()); break;
            case "refuses the model":
                await peer.WelcomeAsync();
                await peer.SendAsync(FrameKind.Refusal, 0, new RefusalNote(RefusalCode.NoRoom, "\u001b[2J full").Write());
                break;
            case "other inputs": await peer.GreetAsync(new ModelFace([new("x", TensorElementType.Float, [-1, 5])], [new("y", TensorElementType.Float, [-1, 4])])); break;
            case "other outputs": await peer.GreetAsync(new ModelFace([new("x", TensorElementType.Float, [-1, 4])], [])); break;
            case "other type": await peer.GreetAsync(new ModelFace([new("x", TensorElementType.Float, [-1, 4])], [new("y", TensorElementType.Int32, [-1, 4])])); break;
            case "ready before asked":
                await peer.WelcomeAsync();
                await peer.SendAsync(FrameKind.Ready, 0, new ModelFace([], []).Write());
                break;
            case "names too long":
                await peer.WelcomeAsync();
                await peer.SendAsync(FrameKind.Have, 0);
                await peer.SendAsync(FrameKind.Ready, 0, [1, 0, 255, 255, 0, 0]);
                break;
            default:
                await peer.GreetAsync();
                await MisbehaveInRunsAsync(peer, what);
                return;
        }
        await peer.Wire.ReadAsync(new byte[1 << 20], peer.End); // whatever the pool still says, until it closes
    }

    private static async Task MisbehaveInRunsAsync(ScriptedAccelerator.Peer peer, string what)
    {
        if (what == "answers before asked")
        {
            await peer.SendAsync(FrameKind.Answer, 77, new byte[64]);
            await peer.ClosedAsync();
        }
        ScriptedAccelerator.Run run = await peer.RunAsync();
        long[] shape = run.Shape;
        byte[] right = peer.Answer(run);
        Task act = what switch
        {
            "closes in a run" => Task.CompletedTask,
            "tears a header" => peer.SendRawAsync([1, 2, 3]),
            "tears an answer" => peer.SendRawAsync([.. Header(FrameKind.Answer, run.Id, right.Length), .. right[..^1]]),
            "unknown kind" => peer.SendAsync((FrameKind)99, run.Id),
            "workload's kind" => peer.SendAsync(FrameKind.Run, run.Id, new byte[8]),
            "reserved bytes" => peer.SendRawAsync([0, 0, 0, 0, (byte)FrameKind.Pong, 1, 0, 0, .. new byte[8]]),
            "endless frame" => peer.SendRawAsync([255, 255, 255, 255, (byte)FrameKind.Answer, 0, 0, 0, .. BitConverter.GetBytes(run.Id)]),
            "greets again" => peer.SendAsync(FrameKind.Have, 0),
            "pong unasked" => peer.SendAsync(FrameKind.Pong, run.Id),
            "unknown id" => peer.AnswerAsync(run, id: run.Id - 1),
            "id zero" => peer.AnswerAsync(run, id: 0),
            "next id" => peer.AnswerAsync(run, id: run.Id + 1),
            "other input" => peer.AnswerAsync(run, digest: ScriptedAccelerator.Peer.Digest(run with { Elements = new byte[run.Elements.Length] })),
            "no tensors" => peer.AnswerAsync(run, heads: [], values: []),
            "one row more" => peer.AnswerAsync(run, heads: [new(TensorElementType.Float, [shape[0] + 1, 4])], values: [.. run.Values, 1, 1, 1, 1]),
            "another shape of one size" => peer.AnswerAsync(run, heads: [new(TensorElementType.Float, [4, shape[0]])]),
            "another type of one size" => peer.AnswerAsync(run, heads: [new(TensorElementType.Int32, shape)]),
            "two tensors" => peer.AnswerAsync(run, heads: [new(TensorElementType.Float, shape), new(TensorElementType.Float, shape)], values: [.. run.Values, .. run.Values]),
            "elements missing" => peer.AnswerAsync(run, values: run.Values[..^1]),
            "elements left over" => peer.AnswerAsync(run, values: [.. run.Values, 1]),
            "NaN" => peer.AnswerAsync(run, values: [.. run.Values[..^1], float.NaN]),
            "infinity" => peer.AnswerAsync(run, values: [float.NegativeInfinity, .. run.Values[1..]]),
            "refuses the run" => peer.SendAsync(FrameKind.Refusal, run.Id, new RefusalNote(RefusalCode.RunTooLong, "slow").Write()),
            "says the run failed" => peer.SendAsync(FrameKind.Refusal, run.Id, new RefusalNote(RefusalCode.RunFailed, "bad node").Write()),
            "refuses everything" => peer.SendAsync(FrameKind.Refusal, 0, new RefusalNote(RefusalCode.Flood, "go away").Write()),
            "a flood of refusals" => FloodAsync(peer),
            _ => throw new ArgumentOutOfRangeException(nameof(what), what, null),
        };
        await act;
        if (what is not ("closes in a run" or "tears a header" or "tears an answer")) await peer.ClosedAsync();
    }

    private static async Task FloodAsync(ScriptedAccelerator.Peer peer)
    {
        while (true) await peer.SendAsync(FrameKind.Refusal, 5, new RefusalNote(RefusalCode.Flood, new string('x', 500)).Write());
    }

    private static byte[] Header(FrameKind kind, ulong id, int length)
    {
        byte[] bytes = new byte[FrameHeader.Size];
        new FrameHeader(kind, id, length).Write(bytes);
        return bytes;
    }
}

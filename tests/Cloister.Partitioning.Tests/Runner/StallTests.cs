using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Cloister.Partitioning.Runner.Wire;
using Cloister.Serving.Tests.Execution;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>Accelerators that say nothing, or too little; the clock is the test's.</summary>
public sealed class StallTests
{
    [Theory]
    [InlineData("no welcome")]
    [InlineData("no word on the model")]
    [InlineData("asks for the model alone")]
    [InlineData("never ready")]
    [InlineData("no answer")]
    [InlineData("a trickle")]
    [InlineData("no sign of life")]
    public async Task Whoever_is_silent_too_long_loses_the_connection(string what)
    {
        var silent = new TaskCompletionSource();
        await using var accelerator = new ScriptedAccelerator(async (peer, number) =>
        {
            if (number == 0) await FallSilentAsync(peer, what, silent);
            await peer.GreetAsync();
            while (true) await peer.AnswerAsync(await peer.RunAsync());
        });
        var time = new ManualTime();
        var watch = new FaultWatch();
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [accelerator.Address], new AcceleratorPoolOptions { StallTimeout = TimeSpan.FromHours(1), LoadTimeout = TimeSpan.FromHours(1), FirstBackoff = TimeSpan.FromSeconds(1), TimeProvider = time }, watch);
        using OrtTensor input = TinyModels.Tensor(1, 2, 3, 4);
        Task<OrtTensor[]>? asked = what == "no sign of life" ? null : pool.RunAsync([input], Timeout.InfiniteTimeSpan, CancellationToken.None);
        await silent.Task.WaitAsync(RunningHost.Patience);
        Task<string> failed = watch.FirstAsync(FaultWatch.Failed);
        while (!failed.IsCompleted) await PassAsync(time, TimeSpan.FromMinutes(61), failed);
        Assert.Contains(nameof(AcceleratorFault.Stalled), await failed, StringComparison.Ordinal);

        asked ??= pool.RunAsync([input], Timeout.InfiniteTimeSpan, CancellationToken.None);
        using var patience = new CancellationTokenSource(RunningHost.Patience);
        while (!asked.IsCompleted)
        {
            // Only the wait before connecting passes: time that goes on while somebody works would make him late.
            bool waits = pool.Accelerators[0].Phase == AcceleratorPhase.Waiting;
            await PassAsync(time, waits ? TimeSpan.FromSeconds(1) : TimeSpan.Zero, asked);
            patience.Token.ThrowIfCancellationRequested();
        }
        OrtTensor[] outputs = await asked;
        Assert.Equal([2f, 4, 6, 8], outputs[0].Span<float>().ToArray());
    }

    // Gives the other side turns between two looks at the clock; how many it needs does not matter.
    private static async Task PassAsync(ManualTime time, TimeSpan by, Task until)
    {
        time.Advance(by);
        await Task.WhenAny(until, Task.Delay(5));
    }

    private static async Task FallSilentAsync(ScriptedAccelerator.Peer peer, string what, TaskCompletionSource silent)
    {
        switch (what)
        {
            case "no welcome": break;
            case "no word on the model": await peer.WelcomeAsync(); break;
            case "asks for the model alone":
                await peer.WelcomeAsync();
                await peer.SendAsync(FrameKind.Send, 0);
                break;
            case "never ready":
                await peer.WelcomeAsync();
                await peer.SendAsync(FrameKind.Have, 0);
                break;
            case "no answer":
                await peer.GreetAsync();
                await peer.RunAsync();
                break;
            case "a trickle":
                await peer.GreetAsync();
                ScriptedAccelerator.Run run = await peer.RunAsync();
                byte[] payload = peer.Answer(run), header = new byte[FrameHeader.Size];
                new FrameHeader(FrameKind.Answer, run.Id, payload.Length).Write(header);
                byte[] frame = [.. header, .. payload];
                silent.SetResult();
                foreach (byte one in frame[..^1])
                {
                    await peer.SendRawAsync([one]);
                    await Task.Delay(1, peer.End);
                }
                break;
            case "no sign of life": await peer.GreetAsync(); break;
            default: throw new ArgumentOutOfRangeException(nameof(what), what, null);
        }
        silent.TrySetResult();
        await Task.Delay(Timeout.Infinite, peer.End);
    }
}

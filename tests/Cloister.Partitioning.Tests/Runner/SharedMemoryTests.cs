using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Cloister.Partitioning.Runner.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>Memory that the other side may write to at any time.</summary>
public sealed class SharedMemoryTests
{
    private static readonly TimeSpan Patience = RunningHost.Patience;

    [Fact]
    public async Task What_is_written_after_an_answer_does_not_reach_the_caller()
    {
        var written = new TaskCompletionSource();
        await using var accelerator = new ScriptedAccelerator(async (peer, _) =>
        {
            await peer.GreetAsync();
            await peer.MapAsync();
            ScriptedAccelerator.Run run = await peer.RunAsync();
            await peer.AnswerAsync(run);
            ScriptedAccelerator.Run next = await peer.RunAsync(); // the first answer has been taken
            for (int slot = 0; slot < peer.Slots!.Offer.Slots; slot++) peer.Slots.Outputs(slot).Fill(0xFF);
            written.SetResult();
            await peer.AnswerAsync(next);
            await peer.ClosedAsync();
        }, shared: true);
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [accelerator.Address], new AcceleratorPoolOptions { StallTimeout = Patience }, NullLogger.Instance);
        using OrtTensor input = TinyModels.Tensor(1, 2, 3, 4), other = TinyModels.Tensor(5, 6, 7, 8);
        OrtTensor[] first = await pool.RunAsync([input], Patience, CancellationToken.None), second = await pool.RunAsync([other], Patience, CancellationToken.None);
        await written.Task.WaitAsync(Patience);
        Assert.Equal([2f, 4, 6, 8], first[0].Span<float>().ToArray());
        Assert.Equal([10f, 12, 14, 16], second[0].Span<float>().ToArray());
        Assert.Empty(pool.Statistics.Faults);
    }

    [Fact]
    public async Task NaN_in_a_slot_is_found()
    {
        await using var accelerator = new ScriptedAccelerator(async (peer, _) =>
        {
            await peer.GreetAsync();
            await peer.MapAsync();
            while (true) await peer.AnswerAsync(await peer.RunAsync(), values: [1, float.NaN, 1, 1]);
        }, shared: true);
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        var watch = new FaultWatch();
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [accelerator.Address], new AcceleratorPoolOptions { StallTimeout = Patience }, watch);
        using OrtTensor input = TinyModels.Tensor(1, 2, 3, 4);
        OrtTensor[] outputs = await pool.RunAsync([input], Patience, CancellationToken.None);
        Assert.Equal([2f, 4, 6, 8], outputs[0].Span<float>().ToArray());
        Assert.Contains(nameof(AcceleratorFault.BadValues), await watch.FirstAsync(FaultWatch.Failed), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Elements_in_the_frame_of_an_answer_from_a_slot_are_refused()
    {
        await using var accelerator = new ScriptedAccelerator(async (peer, _) =>
        {
            await peer.GreetAsync();
            await peer.MapAsync();
            ScriptedAccelerator.Run run = await peer.RunAsync();
            await peer.SendAsync(FrameKind.Answer, run.Id, peer.Answer(run with { Slot = null }));
            await peer.ClosedAsync();
        }, shared: true);
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        var watch = new FaultWatch();
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [accelerator.Address], new AcceleratorPoolOptions { StallTimeout = Patience, MaximumRetries = 0 }, watch);
        using OrtTensor input = TinyModels.Tensor(1, 2, 3, 4);
        var refused = await Assert.ThrowsAsync<PartitioningException>(() => pool.RunAsync([input], Patience, CancellationToken.None));
        Assert.Equal(PartitioningError.AcceleratorFaulty, refused.Error);
        Assert.Contains(nameof(AcceleratorFault.WrongTensors), refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Slots_lie_apart_and_the_name_goes()
    {
        using SharedSlots own = SharedSlots.Create(3, 5000, 1);
        Assert.Equal((8192L, 4096L), (own.Offer.InputBytes, own.Offer.OutputBytes));
        string path = "/dev/shm/cloister-" + own.Offer.Name;
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        using SharedSlots other = SharedSlots.Open(own.Offer);
        own.Unlink();
        Assert.False(File.Exists(path));
        for (int slot = 0; slot < 3; slot++)
        {
            own.Inputs(slot).Fill((byte)(2 * slot));
            other.Outputs(slot).Fill((byte)((2 * slot) + 1));
        }
        for (int slot = 0; slot < 3; slot++)
        {
            Assert.Equal(-1, other.Inputs(slot).IndexOfAnyExcept((byte)(2 * slot)));
            Assert.Equal(-1, own.Outputs(slot).IndexOfAnyExcept((byte)((2 * slot) + 1)));
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => { own.Inputs(3); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { own.Outputs(-1); });
    }

    [Fact]
    public void Memory_of_another_length_or_behind_a_link_is_refused()
    {
        using SharedSlots own = SharedSlots.Create(2, 4096, 4096);
        Assert.Throws<WireException>(() => { SharedSlots.Open(own.Offer with { Slots = 1 }).Dispose(); });
        string name = Guid.NewGuid().ToString("N"), link = "/dev/shm/cloister-" + name;
        File.CreateSymbolicLink(link, "/dev/shm/cloister-" + own.Offer.Name);
        Assert.Throws<WireException>(() => { SharedSlots.Open(own.Offer with { Name = name }).Dispose(); });
        File.Delete(link);
    }
}

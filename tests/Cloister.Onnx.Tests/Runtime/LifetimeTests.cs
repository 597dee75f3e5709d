using Cloister.Onnx.Runtime;

namespace Cloister.Onnx.Tests.Runtime;

public class LifetimeTests
{
    [Fact]
    public void NothingIsUsedAfterItsDisposal()
    {
        var session = OrtSession.FromMemory(HandmadeModel.Relu());
        var input = OrtTensor.Allocate<float>([1, 8]);
        var options = new OrtRunOptions();
        var output = OrtTensor.Allocate<float>([1, 8]);
        session.Run([input], [output], options);

        options.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.Run([input], [output], options));
        output.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.Run([input], [output]));
        Assert.Throws<ObjectDisposedException>(() => output.Span<float>().Length);
        using var another = OrtTensor.Allocate<float>([1, 8]);
        session.Run([input], [another]);
        input.Dispose();
        input.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.Run([input], [another]));
        session.Dispose();
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.Run([another], [another]));
    }

    [Fact]
    public void ABufferLivesAsLongAsTheTensorsOverIt()
    {
        using var session = OrtSession.FromMemory(HandmadeModel.Relu());
        var buffer = PinnedBuffer.Allocate(32);
        using var tensor = OrtTensor.OverPinned<float>(buffer, [1, 8]);
        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => buffer.Span(0, 32).Length);
        tensor.Span<float>().Fill(2);
        using var output = OrtTensor.Allocate<float>([1, 8]);
        session.Run([tensor], [output]);
        Assert.All(output.Span<float>().ToArray(), value => Assert.Equal(2, value));
    }

    [Fact]
    public void ABufferIsAlignedZeroAndBounded()
    {
        for (int length = 0; length < 200; length += 13)
        {
            using var buffer = PinnedBuffer.Allocate(length);
            using PinnedBuffer.Hold hold = buffer.Keep();
            Assert.Equal(0, hold.Start % PinnedBuffer.Alignment);
            buffer.Memory(0, length).Pin().Dispose();
            Assert.Equal(-1, buffer.Span(0, length).IndexOfAnyExcept((byte)0));
            Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Span(1, length).Length);
            Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Span(-1, 0).Length);
            Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Memory(0, length + 1));
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => PinnedBuffer.Allocate(-1));
    }

    [Fact]
    public async Task ABufferIsWrittenByAsynchronousReaders()
    {
        using var buffer = PinnedBuffer.Allocate(100);
        byte[] content = [.. Enumerable.Range(0, 60).Select(i => (byte)i)];
        using var source = new MemoryStream(content);
        await source.ReadExactlyAsync(buffer.Memory(40, 60));
        Assert.Equal(content, buffer.Span(40, 60));
        Assert.Equal(0, buffer.Span(39, 1)[0]);
    }

    [Fact]
    public void RunsFromSeveralThreadsDoNotMeet()
    {
        using var session = OrtSession.FromMemory(HandmadeModel.Relu());
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, worker =>
        {
            using var input = OrtTensor.Allocate<float>([worker + 1, 8]);
            using var output = OrtTensor.Allocate<float>([worker + 1, 8]);
            for (int round = 0; round < 500; round++)
            {
                input.Span<float>().Fill(worker + round);
                session.Run([input], [output]);
                Assert.Equal(-1, output.Span<float>().IndexOfAnyExcept(worker + round));
            }
        });
    }

    [Fact]
    public async Task ASessionMayBeDisposedWhileOthersRunIt()
    {
        for (int round = 0; round < 100; round++)
        {
            var session = OrtSession.FromMemory(HandmadeModel.Relu());
            using var started = new CountdownEvent(3);
            Task[] workers = [.. Enumerable.Range(0, 3).Select(worker => Task.Factory.StartNew(() =>
            {
                using var input = OrtTensor.Allocate<float>([1, 8]);
                using var output = OrtTensor.Allocate<float>([1, 8]);
                input.Span<float>().Fill(worker);
                session.Run([input], [output]);
                started.Signal();
                try
                {
                    while (true)
                    {
                        session.Run([input], [output]);
                        Assert.Equal(worker, output.Span<float>()[7]);
                    }
                }
                catch (ObjectDisposedException)
                {
                    // The only way out: the session is gone.
                }
            }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
            started.Wait();
            session.Dispose();
            await Task.WhenAll(workers);
        }
    }

    [Fact]
    public async Task ATensorMayBeDisposedWhileARunUsesIt()
    {
        using var session = OrtSession.FromMemory(RunTests.EndlessLoop());
        using var options = new OrtRunOptions();
        for (int round = 0; round < 20; round++)
        {
            options.Reset();
            var input = OrtTensor.Allocate<float>([1]);
            var rounds = OrtTensor.OverPinned<long>(new long[] { long.MaxValue }, []);
            var go = OrtTensor.OverPinned<bool>(new[] { true }, []);
            using var started = new ManualResetEventSlim();
            Task run = Task.Factory.StartNew(() =>
            {
                started.Set();
                session.Run([rounds, go, input], new OrtTensor?[1], options);
            }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            started.Wait();
            input.Dispose();
            rounds.Dispose();
            go.Dispose();
            options.Terminate();
            Exception end = await Assert.ThrowsAnyAsync<Exception>(() => run);
            Assert.True(end is OnnxRuntimeException or ObjectDisposedException, end.ToString());
        }
    }
}

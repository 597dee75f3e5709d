using Cloister.Serving.Batching;
using Cloister.Serving.Engines;
using Cloister.Serving.Tests.Execution;

namespace Cloister.Serving.Tests.Batching;

public sealed class BatchingEngineTests : IAsyncDisposable
{
    private readonly ManualTime _time = new();
    private readonly DoublingEngine _engine;

    public BatchingEngineTests() => _engine = new DoublingEngine(_time);

    public async ValueTask DisposeAsync()
    {
        _engine.StopHolding();
        await _engine.StopAsync();
        _engine.Dispose();
    }

    [Fact]
    public async Task A_lone_request_runs_at_once_over_its_own_memory()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 8, BatchTimeout = TimeSpan.FromSeconds(30) });
        Assert.Equal((float[])[2f, 4f], await Predict(batching, [1, 2]));
        Assert.Equal([1L], _engine.Runs);
    }

    [Fact]
    public async Task What_comes_while_another_runs_is_joined_and_answered_apart()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 8 });
        Task<float[]> first = await HoldOne(batching);
        Task<float[]>[] others = [Predict(batching, [1, 2]), Predict(batching, [3, 4, 5, 6]), Predict(batching, [7, 8])];
        _engine.Open(2);
        Assert.Equal((float[])[0f, 0f], await first);
        Assert.Equal((float[])[2f, 4f], await others[0]);
        Assert.Equal((float[])[6f, 8f, 10f, 12f], await others[1]);
        Assert.Equal((float[])[14f, 16f], await others[2]);
        Assert.Equal([1L, 4L], _engine.Runs);
        BatchFigures figures = batching.Statistics.Read();
        Assert.Equal((4, 5, 2, 0), (figures.Requests, figures.Items, figures.Batches, figures.Failures));
        Assert.Equal([1, 4], figures.Sizes.Select(size => size.Size));
        Assert.Equal(4, figures.Waits.Sum());
    }

    [Fact]
    public async Task A_batch_holds_no_more_than_the_maximum_and_the_rest_follows()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 3 });
        Task<float[]> first = await HoldOne(batching);
        Task<float[]>[] others = [.. Enumerable.Range(0, 7).Select(i => Predict(batching, [i, i]))];
        _engine.StopHolding();
        await Task.WhenAll([first, .. others]);
        Assert.Equal([1L, 3L, 3L, 1L], _engine.Runs);
    }

    [Fact]
    public async Task A_batch_is_filled_up_to_an_allowed_size()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 8, AllowedBatchSizes = [2, 8] });
        Task<float[]> first = await HoldOne(batching);
        Task<float[]>[] others = [.. Enumerable.Range(0, 3).Select(i => Predict(batching, [i, 1]))];
        _engine.StopHolding();
        await Task.WhenAll([first, .. others]);
        for (int i = 0; i < 3; i++) Assert.Equal((float[])[2f * i, 2f], await others[i]);
        Assert.Equal([2L, 8L], _engine.Runs);
        Assert.Equal(6, batching.Statistics.Read().Padding);
    }

    [Fact]
    public async Task A_member_that_leaves_while_its_batch_runs_is_let_go_and_the_others_are_answered()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 8 });
        Task<float[]> first = await HoldOne(batching);
        using var leave = new CancellationTokenSource();
        Task<float[]> leaving = Predict(batching, [1, 1], cancellation: leave.Token), late = Predict(batching, [2, 2], TimeSpan.FromSeconds(5)), staying = Predict(batching, [3, 3]);
        _engine.Open();
        await first;
        await _engine.Entered.WaitAsync();
        await leave.CancelAsync();
        Assert.Equal(ServingError.Cancelled, (await Assert.ThrowsAsync<ServingException>(() => leaving)).Error);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(ServingError.DeadlineExceeded, (await Assert.ThrowsAsync<ServingException>(() => late)).Error);
        _engine.Open();
        Assert.Equal((float[])[6f, 6f], await staying);
        Assert.Equal([1L, 3L], _engine.Runs);
    }

    [Fact]
    public async Task A_batch_that_everybody_left_is_stopped()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 8 });
        Task<float[]> first = await HoldOne(batching);
        using var leave = new CancellationTokenSource();
        Task<float[]>[] leaving = [Predict(batching, [1, 1], cancellation: leave.Token), Predict(batching, [2, 2], cancellation: leave.Token)];
        _engine.Open();
        await first;
        await _engine.Entered.WaitAsync();
        await leave.CancelAsync(); // nobody opens the engine but the interruption
        foreach (Task<float[]> one in leaving) Assert.Equal(ServingError.Cancelled, (await Assert.ThrowsAsync<ServingException>(() => one)).Error);
        _engine.StopHolding();
        Assert.Equal((float[])[2f, 2f], await Predict(batching, [1, 1]));
    }

    [Fact]
    public async Task A_member_that_leaves_before_its_turn_takes_no_place()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 8 });
        Task<float[]> first = await HoldOne(batching);
        using var leave = new CancellationTokenSource();
        Task<float[]> leaving = Predict(batching, [1, 1], cancellation: leave.Token), staying = Predict(batching, [3, 3]);
        await leave.CancelAsync();
        await Assert.ThrowsAsync<ServingException>(() => leaving);
        _engine.StopHolding();
        Assert.Equal((float[])[6f, 6f], await staying);
        await first;
        Assert.Equal([1L, 1L], _engine.Runs);
    }

    [Fact]
    public async Task A_value_that_the_model_cannot_take_is_answered_to_its_sender_alone()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 8 });
        Task<float[]> first = await HoldOne(batching);
        Task<float[]> good = Predict(batching, [1, 1]), bad = Predict(batching, [float.NaN, 1]), other = Predict(batching, [2, 2]);
        _engine.StopHolding();
        await first;
        Assert.Equal((float[])[2f, 2f], await good);
        Assert.Equal((float[])[4f, 4f], await other);
        Assert.Equal(ServingError.EngineFailed, (await Assert.ThrowsAsync<ServingException>(() => bad)).Error);
        Assert.Equal([1L, 3L, 1L, 1L, 1L], _engine.Runs);
        Assert.Equal(1, batching.Statistics.Read().Failures);
    }

    [Fact]
    public async Task After_company_an_unfilled_batch_waits_for_as_many_again_but_no_longer_than_its_timeout()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 8, BatchTimeout = TimeSpan.FromMilliseconds(50) });
        await RunPair(batching);
        Task<float[]> one = Predict(batching, [1, 1]);
        Assert.Equal(3, _engine.Runs.Count + (one.IsCompleted ? 0 : 1)); // nothing but the clock starts it
        Task<float[]> two = Predict(batching, [2, 2]);
        await Task.WhenAll(one, two);
        Assert.Equal([1L, 2L, 2L], _engine.Runs);
        Task<float[]> alone = Predict(batching, [3, 3]);
        Assert.False(alone.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal((float[])[6f, 6f], await alone);
        Assert.Equal((float[])[6f, 6f], await Predict(batching, [3, 3])); // the last one was alone: this one does not wait
    }

    [Fact]
    public async Task As_TF_Serving_s_an_unfilled_batch_may_wait_while_a_thread_is_idle()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 2, BatchTimeout = TimeSpan.FromMilliseconds(50), WaitWhenIdle = true });
        Task<float[]> one = Predict(batching, [1, 1]);
        Assert.False(one.IsCompleted);
        await Task.WhenAll(one, Predict(batching, [2, 2]));
        Task<float[]> alone = Predict(batching, [3, 3]);
        Assert.False(alone.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        await alone;
        Assert.Equal([2L, 1L], _engine.Runs);
    }

    [Fact]
    public async Task A_full_queue_refuses_and_says_when_to_come_back()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 2, MaxEnqueuedBatches = 1 });
        Task<float[]> first = await HoldOne(batching);
        Assert.False(batching.IsOverloaded(out _));
        Task<float[]> waiting = Predict(batching, [1, 1, 2, 2]);
        Assert.True(batching.IsOverloaded(out TimeSpan retry));
        Assert.InRange(retry, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        ServingException refusal = await Assert.ThrowsAsync<ServingException>(() => Predict(batching, [3, 3]));
        Assert.Equal((ServingError.Overloaded, true), (refusal.Error, refusal.RetryAfter is not null));
        _engine.StopHolding();
        await Task.WhenAll(first, waiting);
        Assert.False(batching.IsOverloaded(out _));
    }

    [Fact]
    public async Task A_large_request_is_run_in_parts_and_answered_as_one()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 3, MaxEnqueuedBatches = 1 });
        float[] values = [.. Enumerable.Range(0, 20).Select(i => (float)i)];
        Assert.Equal(values.Select(value => 2 * value), await Predict(batching, values));
        Assert.Equal([3L, 3L, 3L, 1L], _engine.Runs);
    }

    [Fact]
    public async Task A_large_request_with_a_bad_part_is_refused_whole()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 2 });
        Assert.Equal(ServingError.EngineFailed, (await Assert.ThrowsAsync<ServingException>(() => Predict(batching, [1, 1, 1, 1, float.NaN, 1, 1, 1, 1, 1]))).Error);
        Assert.Equal((float[])[2f, 2f], await Predict(batching, [1, 1]));
    }

    [Fact]
    public async Task A_large_request_is_refused_where_it_may_not_be_split()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 2, SplitLargeRequests = false });
        Assert.Equal(ServingError.BatchTooLarge, (await Assert.ThrowsAsync<ServingException>(() => Predict(batching, [1, 1, 1, 1, 1, 1]))).Error);
    }

    [Fact]
    public async Task Stopping_refuses_what_waits()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 8 });
        Task<float[]> first = await HoldOne(batching);
        Task<float[]>[] waiting = [Predict(batching, [1, 1]), Predict(batching, [2, 2])];
        ValueTask stopping = _engine.StopAsync();
        foreach (Task<float[]> one in waiting) Assert.Equal(ServingError.Stopping, (await Assert.ThrowsAsync<ServingException>(() => one)).Error);
        Assert.Equal(ServingError.Stopping, (await Assert.ThrowsAsync<ServingException>(() => Predict(batching, [1, 1]))).Error);
        _engine.Open();
        await first;
        await stopping;
    }

    [Fact]
    public async Task Requests_cancelled_at_any_moment_end_once_and_no_answer_is_a_stranger_s()
    {
        BatchingEngine batching = Batching(new BatchingOptions { MaxBatchSize = 16, MaxEnqueuedBatches = 10_000 });
        var random = new Random(7);
        int answered = 0, refused = 0;
        var all = new List<Task>();
        for (int i = 0; i < 5_000; i++)
        {
            var cancellation = new CancellationTokenSource();
            float[] values = [.. Enumerable.Range(0, 2 * random.Next(1, 20)).Select(_ => (float)random.Next(1000))];
            all.Add(CheckAsync(values, cancellation.Token));
            if (random.Next(2) == 0) all.Add(cancellation.CancelAsync());
        }
        await Task.WhenAll(all);
        Assert.Equal(5_000, answered + refused);

        async Task CheckAsync(float[] values, CancellationToken cancellation)
        {
            try
            {
                Assert.Equal(values.Select(value => 2 * value), await Predict(batching, values, cancellation: cancellation));
                Interlocked.Increment(ref answered);
            }
            catch (ServingException refusal) when (refusal.Error == ServingError.Cancelled)
            {
                Interlocked.Increment(ref refused);
            }
        }
    }

    private BatchingEngine Batching(BatchingOptions options) => new(_engine, _engine.Pool, options, _time);

    private async Task<Task<float[]>> HoldOne(BatchingEngine batching)
    {
        _engine.Hold();
        Task<float[]> first = Predict(batching, [0, 0]);
        await _engine.Entered.WaitAsync();
        return first;
    }

    /// <summary>Has two requests run together, so that the next ones expect company.</summary>
    private async Task RunPair(BatchingEngine batching)
    {
        Task<float[]> first = await HoldOne(batching);
        Task<float[]>[] pair = [Predict(batching, [1, 1]), Predict(batching, [1, 1])];
        _engine.StopHolding();
        await Task.WhenAll([first, .. pair]);
        Assert.Equal([1L, 2L], _engine.Runs);
    }

    private static async Task<float[]> Predict(BatchingEngine engine, float[] values, TimeSpan? timeout = null, CancellationToken cancellation = default)
    {
        using Tensor input = Tensor.From<float>(values, values.Length / 2, 2);
        using Prediction prediction = await engine.PredictAsync([input], timeout ?? Timeout.InfiniteTimeSpan, cancellation);
        Tensor output = Assert.Single(prediction.Outputs);
        Assert.Equal([values.Length / 2, 2], output.Shape.ToArray());
        return output.Elements<float>().ToArray();
    }
}

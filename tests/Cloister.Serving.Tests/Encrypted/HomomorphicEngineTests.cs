using System.Security.Cryptography;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire;
using Cloister.Serving.Encrypted;
using Cloister.Serving.Engines;
using Cloister.Serving.Execution;
using Cloister.Serving.Tests.Execution;

namespace Cloister.Serving.Tests.Encrypted;

/// <summary>Encrypted queries in the queues that every model has: deadlines, callers who leave, overload; and what each is charged.</summary>
public sealed class HomomorphicEngineTests
{
    [Fact]
    public async Task A_deadline_stops_a_run()
    {
        await using var scene = new Scene();
        Task<Prediction> run = scene.PredictAsync(scene.Query(3), TimeSpan.FromSeconds(5));
        await scene.Model.Entered.Task;
        scene.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(ServingError.DeadlineExceeded, (await Assert.ThrowsAsync<ServingException>(() => run)).Error);
        // It was paid before it ran, and is not given back.
        Assert.Equal([(1L, 0L), (3L, 1L)], scene.Account.Charges);
    }

    [Fact]
    public async Task A_caller_who_leaves_stops_a_run()
    {
        await using var scene = new Scene();
        using var leaving = new CancellationTokenSource();
        Task<Prediction> run = scene.PredictAsync(scene.Query(1), Timeout.InfiniteTimeSpan, leaving.Token);
        await scene.Model.Entered.Task;
        await leaving.CancelAsync();
        Assert.Equal(ServingError.Cancelled, (await Assert.ThrowsAsync<ServingException>(() => run)).Error);
    }

    [Fact]
    public async Task A_full_queue_refuses()
    {
        await using var scene = new Scene();
        Task<Prediction> running = scene.PredictAsync(scene.Query(1), Timeout.InfiniteTimeSpan);
        await scene.Model.Entered.Task;
        Assert.False(scene.Engine.IsOverloaded(out _));
        Task<Prediction> waiting = scene.PredictAsync(scene.Query(1), Timeout.InfiniteTimeSpan);
        Assert.True(scene.Engine.IsOverloaded(out TimeSpan retry));
        Assert.True(retry > TimeSpan.Zero);
        Assert.Equal(ServingError.Overloaded, (await Assert.ThrowsAsync<ServingException>(() => scene.PredictAsync(scene.Query(1), Timeout.InfiniteTimeSpan))).Error);
        Assert.Equal(new EngineLoad(1, 1, 1), scene.Engine.Load);
        scene.Model.Go.Set();
        foreach (Task<Prediction> task in (Task<Prediction>[])[running, waiting])
        {
            using Prediction prediction = await task;
            Assert.Equal(1, prediction.Rows);
        }
    }

    [Fact]
    public async Task What_is_refused_before_it_is_computed_costs_a_row_and_no_time()
    {
        await using var scene = new Scene();
        byte[] query = scene.Query(2);
        query[^1] ^= 1;
        Assert.Equal(ServingError.EnvelopeRefused, (await Assert.ThrowsAsync<ServingException>(() => scene.PredictAsync(query, Timeout.InfiniteTimeSpan))).Error);
        Assert.Equal([(1L, 0L)], scene.Account.Charges);
        scene.Account.Refuses = true;
        Assert.Equal(ServingError.QuotaExceeded, (await Assert.ThrowsAsync<ServingException>(() => scene.PredictAsync(scene.Query(2), Timeout.InfiniteTimeSpan))).Error);
        Assert.False(scene.Model.Entered.Task.IsCompleted);
    }

    [Fact]
    public async Task What_is_no_vector_of_bytes_or_too_many_is_refused_before_it_waits()
    {
        await using var scene = new Scene();
        async Task<ServingError> Refused(Tensor tensor)
        {
            using (tensor) return (await Assert.ThrowsAsync<ServingException>(() => scene.Engine.PredictAsync([tensor], Timeout.InfiniteTimeSpan, default))).Error;
        }
        Assert.Equal(ServingError.WrongType, await Refused(Tensor.From<float>([1], 1)));
        Assert.Equal(ServingError.WrongShape, await Refused(Tensor.From<byte>([1, 2], 1, 2)));
        Assert.Equal(ServingError.TooLarge, await Refused(Tensor.From<byte>(new byte[scene.Engine.MaximumQueryBytes + 1], scene.Engine.MaximumQueryBytes + 1)));
        Assert.Empty(scene.Account.Charges);
    }

    /// <summary>An engine over a model whose runs wait for the test.</summary>
    private sealed class Scene : IAsyncDisposable
    {
        private readonly InferenceExecutor _executor;
        private readonly TensorPool _pool = new(1 << 20);
        private readonly EnvelopeKeys _keys;
        private readonly ModelClient _client;
        private readonly SecretKey _secret;

        public Scene()
        {
            _executor = new InferenceExecutor(new ExecutorOptions { Threads = 1 }, Time);
            _keys = new EnvelopeKeys(null, Time);
            Engine = new HomomorphicEngine(Model, _executor.CreateLane(limit: 1), _pool, _keys);
            _client = ModelClients.Create(Model.Client);
            _secret = SecretKey.Generate(_client.Parameters);
        }

        public ManualTime Time { get; } = new();

        public WaitingModel Model { get; } = new();

        public HomomorphicEngine Engine { get; }

        public KeptAccount Account { get; } = new();

        public byte[] Query(int rows)
        {
            using ClientQuery query = _client.Encrypt(EncryptedModels.Rows(rows), _secret, null);
            var header = new EnvelopeHeader(EnvelopeKind.Query, Engine.Digest, KeyId.Random(), new byte[32], RandomNumberGenerator.GetBytes(16));
            (EnvelopeKey key, _) = _keys.Register(header.ModelDigest.Span, header.KeyId, header.Owner.Span);
            using (key) return Envelope.Seal(header, QueryFormat.Write(query, _client.Specification), key);
        }

        public async Task<Prediction> PredictAsync(byte[] query, TimeSpan timeout, CancellationToken cancellation = default)
        {
            using Tensor tensor = Tensor.From<byte>(query, query.Length);
            return await Engine.PredictAsync([tensor], Account, timeout, cancellation);
        }

        public async ValueTask DisposeAsync()
        {
            Model.Go.Set();
            await _executor.DisposeAsync();
            await Engine.DisposeAsync();
            _secret.Dispose();
            _keys.Dispose();
            _pool.Dispose();
            Model.Go.Dispose();
        }
    }

    private sealed class KeptAccount : IQueryAccount
    {
        public List<(long Rows, long Paid)> Charges { get; } = [];

        public bool Refuses { get; set; }

        public ReadOnlyMemory<byte>? Owner => null;

        public void ChargeRows(long rows, long paid)
        {
            if (Refuses) throw new ServingException(ServingError.QuotaExceeded, "None is left.");
            lock (Charges) Charges.Add((rows, paid));
        }
    }

    private sealed class WaitingModel : CompiledModel
    {
        private readonly CompiledModel _inner = EncryptedModels.CompileLogistic();

        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ManualResetEventSlim Go { get; } = new();

        public override ClientSpecification Client => _inner.Client;

        public override RlweParameters Parameters => _inner.Parameters;

        public override EncryptedAnswer Evaluate(EncryptedQuery query, AnswerForm form, CancellationToken cancellation)
        {
            Entered.TrySetResult();
            Go.Wait(cancellation);
            return _inner.Evaluate(query, form, cancellation);
        }

        public override ModelAnswer Predict(ReadOnlySpan<double> row) => _inner.Predict(row);

        public override byte[] ToBytes() => _inner.ToBytes();

        protected override void Dispose(bool disposing) => _inner.Dispose();
    }
}

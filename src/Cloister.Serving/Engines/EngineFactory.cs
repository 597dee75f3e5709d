using Cloister.Homomorphic.Models;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning;
using Cloister.Partitioning.Reports;
using Cloister.Partitioning.Runner;
using Cloister.Sealing;
using Cloister.Serving.Batching;
using Cloister.Serving.Encrypted;
using Cloister.Serving.Execution;
using Cloister.Serving.Partitioned;
using Cloister.Serving.Repository;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Engines;

/// <summary>Makes the engine of a model that was opened.</summary>
internal sealed class EngineFactory(InferenceExecutor executor, TensorPool pool, EnvelopeKeys envelopes, IReadOnlyList<AcceleratorAddress> accelerators, ILogger logger)
{
    private static readonly TimeSpan s_readiness = TimeSpan.FromSeconds(10), s_loading = TimeSpan.FromMinutes(2);

    /// <summary>Takes over a compiled model.</summary>
    /// <param name="name">The model's name, for the log.</param>
    /// <param name="model">What computes on ciphertexts.</param>
    /// <param name="configuration">What its maker says.</param>
    /// <param name="operators">How the operator wants requests to be joined; encrypted ones cannot be.</param>
    public IModelEngine Create(string name, CompiledModel model, ModelConfiguration configuration, BatchingOptions? operators)
    {
        if (operators is not null) logger.EncryptedNotBatched(name);
        return new HomomorphicEngine(model, executor.CreateLane(configuration.QueueLimit, configuration.Concurrency), pool, envelopes);
    }

    /// <summary>Says in the log what the assessor of a model in parts states.</summary>
    public void TellReport(string model, PartitionReport report, MakerPublicKey assessor)
    {
        logger.Opened(model, accelerators.Count, assessor.Fingerprint, report.Model, PartitionCheck.Describe(report));
        if (report.Protection.IsEmpty) logger.NotAssessed(model);
    }

    /// <summary>Takes over a model in parts; if it cannot, its sessions are disposed.</summary>
    /// <param name="opening">What was opened.</param>
    /// <param name="operators">How the operator wants requests to be joined; the way to the accelerators has its own.</param>
    /// <param name="awaited">Whether an accelerator must be ready, because the model is to answer at once.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ServingException">The parts or the labels are refused, or <see cref="ServingError.AcceleratorMissing"/>, or none is ready where one is awaited.</exception>
    public async Task<IModelEngine> CreateAsync(PartitionedOpening opening, BatchingOptions? operators, bool awaited, CancellationToken cancellation)
    {
        bool inside = opening.Configuration.Partition is { FallsBackInside: true };
        if (accelerators.Count == 0 && !inside)
        {
            opening.Dispose();
            throw new ServingException(ServingError.AcceleratorMissing, $"Model '{opening.Model}' is in parts, and this server was given no accelerator: start one (cloister accelerator run) and name it with --accelerator.");
        }
        int limit = opening.Configuration.QueueLimit ?? executor.Options.QueueLimit;
        var engine = new PartitionedEngine(await PartitionedParts.JoinAsync(opening, accelerators, pool, limit, executor.Time, logger), executor, opening.Configuration.QueueLimit, opening.Configuration.Concurrency, logger);
        try
        {
            if (operators is not null) logger.PartitionedNotBatched(opening.Model);
            if (inside) logger.FallsBackInside(opening.Model);
            await DemandReadyAsync(engine, opening.Model, awaited, cancellation);
            return engine;
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }

    /// <summary>Takes over the session; if it cannot, the session is disposed.</summary>
    /// <param name="model">The model's name, for the log.</param>
    /// <param name="session">The model.</param>
    /// <param name="steady">Whether the model's running time is the same for every request of one item: <see cref="SteadyModel"/>.</param>
    /// <param name="configuration">What its maker says.</param>
    /// <param name="operators">How the operator wants requests to be joined; null if it does not say.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ServingException">The model has an input or output that no surface can carry.</exception>
    public async Task<IModelEngine> CreateAsync(string model, OrtSession session, bool steady, ModelConfiguration configuration, BatchingOptions? operators, CancellationToken cancellation)
    {
        OnnxEngine? engine = null;
        try
        {
            BatchingOptions? batching = configuration.Batching is { } setting ? setting.With(operators) : operators;
            engine = new OnnxEngine(session, executor.CreateLane(configuration.QueueLimit, Least(configuration.Concurrency, batching?.Threads)), pool, steady);
            if (batching is null) return engine;
            if (await BatchProbe.FindProblemAsync(engine, pool, cancellation) is { } problem)
            {
                logger.NotBatched(model, problem);
                return engine;
            }
            logger.Batched(model, batching.MaxBatchSize, batching.BatchTimeout.TotalMilliseconds);
            return new BatchingEngine(engine, pool, batching, executor.Time);
        }
        catch
        {
            if (engine is not null) await engine.DisposeAsync();
            else session.Dispose();
            throw;
        }
    }

    private async Task DemandReadyAsync(PartitionedEngine engine, string model, bool awaited, CancellationToken cancellation)
    {
        try
        {
            await AwaitReadyAsync(engine.Accelerators, engine.Deadline < s_readiness ? engine.Deadline : s_readiness, awaited, cancellation);
        }
        catch (PartitioningException never)
        {
            throw new ServingException(ServingError.AcceleratorFailed, $"No accelerator of model '{model}' can be used; it is tried again.", never);
        }
        catch (TimeoutException late) when (awaited)
        {
            throw new ServingException(ServingError.AcceleratorFailed, $"No accelerator of model '{model}' is ready, which its warm-up needs, or the version that it is to replace; it is tried again.", late);
        }
        catch (TimeoutException)
        {
            logger.NoAcceleratorYet(model);
        }
    }

    // Where the model is awaited and on its way to an accelerator, it is not begun anew: it would never arrive.
    private async Task AwaitReadyAsync(AcceleratorPool pool, TimeSpan patience, bool awaited, CancellationToken cancellation)
    {
        Task ready = pool.ReadyAsync(cancellation);
        try
        {
            await ready.WaitAsync(patience, executor.Time, cancellation);
        }
        catch (TimeoutException) when (awaited && pool.Accelerators.Any(accelerator => accelerator is { Phase: AcceleratorPhase.Connecting, ModelBytesSent: > 0 }))
        {
            await ready.WaitAsync(s_loading, executor.Time, cancellation);
        }
    }

    private static int? Least(int? one, int? other) => one is null ? other : other is null ? one : Math.Min(one.Value, other.Value);
}

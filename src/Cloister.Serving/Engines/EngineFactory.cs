using Cloister.Homomorphic.Models;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Batching;
using Cloister.Serving.Encrypted;
using Cloister.Serving.Execution;
using Cloister.Serving.Repository;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Engines;

/// <summary>Makes the engine of a model that was opened.</summary>
internal sealed class EngineFactory(InferenceExecutor executor, TensorPool pool, EnvelopeKeys envelopes, ILogger logger)
{
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

    private static int? Least(int? one, int? other) => one is null ? other : other is null ? one : Math.Min(one.Value, other.Value);
}

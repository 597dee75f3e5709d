using System.Collections.Immutable;
using System.Text;
using Cloister.Onnx.Tests.Runtime;
using Cloister.Sealing;
using Cloister.Serving.Callers;
using Cloister.Serving.Encrypted;
using Cloister.Serving.Engines;
using Cloister.Serving.Execution;
using Cloister.Serving.Repository;
using Cloister.Workload;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Serving.Tests.Repository;

/// <summary>A store of sealed versions of one model, "model", and a repository over it. Version n of it answers x + n.</summary>
internal sealed class VersionStore : IAsyncDisposable
{
    private readonly SecretBytes _key = SecretBytes.Random(32);
    private readonly InferenceExecutor _executor = new(new ExecutorOptions { Threads = 2 }, TimeProvider.System);
    private readonly TensorPool _pool = new(1 << 20);
    private readonly CancellationTokenSource _stop = new();
    private readonly EnvelopeKeys _envelopes = new(null, TimeProvider.System);
    private readonly CallerRegistry _callers = new(new CallerRights([], []), TimeProvider.System, NullLogger.Instance);
    private Task? _watching;

    public string Folder { get; } = Directory.CreateTempSubdirectory("cloister-versions-").FullName;

    public ModelMemory Memory { get; } = new(NullLogger.Instance);

    public MakerKey Maker { get; } = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);

    public ModelRepository Repository { get; private set; } = null!;

    public ModelSlot Slot => Repository.Slots.Single();

    /// <summary>The version of the answer; a model that answers x + version.</summary>
    public static byte[] Model(long version) => new HandmadeModel().Input("x", 1, -1).Inline("n", 1, [1], (float)version).Node("Add", ["x", "n"], ["y"]).Output("y", 1, -1).ToBytes();

    public static ServingPlan Plan(VersionPolicy versions, params (string Label, long Version)[] labels) =>
        new([new ModelPlan("model", null, versions, labels.ToImmutableDictionary(label => label.Label, label => label.Version))]);

    public static VersionPolicy Specific(params long[] numbers) => new VersionPolicy.Specific([.. numbers]);

    /// <summary>Seals a version to a place in the store, such as <c>model/3.sealed</c>; gives its digest.</summary>
    public async Task<string> SealAsync(string place, long version, byte[]? model = null, MakerKey? maker = null, string? configuration = null, string name = "model", string? warmUp = null)
    {
        string path = Path.Combine(Folder, place);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        List<SealedSource> sources = [SealedSource.FromBytes("model.onnx", model ?? Model(version))];
        if (configuration is not null) sources.Add(SealedSource.FromBytes("config.json", Encoding.UTF8.GetBytes(configuration)));
        if (warmUp is not null) sources.Add(SealedSource.FromBytes("warmup.jsonl", Encoding.UTF8.GetBytes(warmUp)));
        return await SealedFile.SealAsync(path, new SealedContent(name, version, [.. sources]), _key.Memory, maker ?? Maker);
    }

    public void Delete(string place) => File.Delete(Path.Combine(Folder, place));

    public async Task<VersionStore> StartAsync(RepositoryOptions? options = null, string digest = "", long minimum = 0, TimeProvider? time = null)
    {
        var grant = new ModelGrant("model", digest, Maker.Public.SubjectPublicKeyInfo, minimum, SecretBytes.Copy(_key.Span));
        Repository = new ModelRepository([grant], options ?? new RepositoryOptions { AllowChanges = true }, time ?? TimeProvider.System, NullLogger<ModelRepository>.Instance);
        var extraction = new ExtractionWatch(_callers, NullLogger.Instance);
        var loader = new SealedModelLoader(new InferenceOptions { StoreFolder = Folder }, new EngineFactory(_executor, _pool, _envelopes, [], NullLogger.Instance), _pool, Memory, extraction);
        await Repository.LoadAsync(loader, Memory, Folder, null, CancellationToken.None);
        _watching = Repository.WatchAsync(_stop.Token);
        return this;
    }

    /// <summary>What the model answers to 0 now: the number of the version that answers.</summary>
    public async Task<long> AskAsync(VersionChoice choice = default)
    {
        using ModelLease lease = Repository.Find("model").Lease(choice);
        return await AskAsync(lease);
    }

    public static async Task<long> AskAsync(ModelLease lease)
    {
        using Tensor x = Tensor.From<float>([0], 1);
        using Prediction prediction = await lease.Model.Engine.PredictAsync([x], TimeSpan.FromMinutes(2), CancellationToken.None);
        return (long)prediction.Outputs[0].Elements<float>()[0];
    }

    /// <summary>Waits until something is so; fails after two minutes.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!condition()) await Task.Delay(5, limit.Token);
    }

    public (long, ModelVersionState)[] States => [.. Slot.Versions.Select(version => (version.Version, version.State))];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_watching is not null) await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _executor.DisposeAsync();
        if (Repository is not null) await Repository.DisposeAsync();
        _pool.Dispose();
        _stop.Dispose();
        _key.Dispose();
        Maker.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}

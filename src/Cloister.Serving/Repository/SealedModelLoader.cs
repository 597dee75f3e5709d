using Cloister.Homomorphic.Models;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Reports;
using Cloister.Protocol.Manifest;
using Cloister.Sealing;
using Cloister.Serving.Encrypted;
using Cloister.Serving.Engines;
using Cloister.Serving.Partitioned;
using Cloister.Workload;

namespace Cloister.Serving.Repository;

/// <summary>
/// Opens a sealed model in memory: signature, digest and version are checked before a byte of the content is read, and the
/// plaintext goes nowhere but into memory that the engine uses in place.
/// </summary>
internal sealed class SealedModelLoader(InferenceOptions options, EngineFactory engines, TensorPool pool, ModelMemory memory, ExtractionWatch extraction)
{
    public const string ModelEntry = "model.onnx", LabelsEntry = "labels.txt", ConfigurationEntry = "config.json", WarmUpEntry = "warmup.jsonl", Extension = ".sealed";

    /// <summary>Opens a version of the granted model.</summary>
    /// <param name="trust">What the grant insists on.</param>
    /// <param name="grant">The model's name, and in which mode it may be served.</param>
    /// <param name="stored">The file.</param>
    /// <param name="key">The model's key.</param>
    /// <param name="replaces">Whether another version answers, in whose place it comes: then it is open only when it can answer, too.</param>
    /// <param name="cancellation">Gives up opening.</param>
    /// <exception cref="ServingException">The model is refused; the text says why and what to do.</exception>
    public async Task<ServedModel> OpenAsync(SealedTrust trust, ModelGrant grant, StoredVersion stored, ReadOnlyMemory<byte> key, bool replaces, CancellationToken cancellation)
    {
        try
        {
            await using FileStream file = OpenFile(stored);
            await using SealedReader reader = await SealedFile.OpenAsync(file, trust, key, cancellation);
            if (stored.IsNamed && reader.Header.Version != stored.Number)
                throw new ServingException(ServingError.VersionMismatch, $"{stored.Name} holds version {reader.Header.Version}, which its maker signed; name it so.");
            return await LoadAsync(grant, stored.Name, reader, replaces, cancellation);
        }
        catch (SealingException refusal)
        {
            throw new ServingException(ServingError.SealedFileRefused, $"{stored.Name} is refused (sealing error {(int)refusal.Error}): {refusal.Message}", refusal);
        }
        catch (OnnxModelException refusal)
        {
            throw new ServingException(ServingError.ModelRefused, $"{ModelEntry} is refused: {refusal.Message} Ask the model's maker for a valid ONNX file.", refusal);
        }
        catch (OnnxRuntimeException refusal)
        {
            throw new ServingException(ServingError.ModelRefused, $"ONNX Runtime refused {ModelEntry}: {refusal.Message}", refusal);
        }
        catch (OnnxRuntimeLibraryException missing)
        {
            throw new ServingException(ServingError.EngineFailed, missing.Message, missing);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Anybody may ask why a model is unavailable: where the store lies is not theirs to know.
            throw new ServingException(ServingError.StoreUnreadable, $"{stored.Name} could not be read from the store: {failure.Message.Replace(stored.Path, stored.Name, StringComparison.Ordinal)}", failure);
        }
        catch (OutOfMemoryException failure)
        {
            throw new ServingException(ServingError.EngineFailed, $"There is not enough memory to open {stored.Name}.", failure);
        }
    }

    /// <summary>What a grant insists on.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.GrantRefused"/>.</exception>
    public static SealedTrust Trust(ModelGrant grant)
    {
        if (!ModelName.IsValid(grant.Name))
            throw new ServingException(ServingError.GrantRefused, $"'{grant.Name}' cannot be a model's name here: use letters, digits, '-', '_' and '.', at most 128, not beginning with '.'.");
        // A conversion of a null array would give an empty memory instead of none.
        ReadOnlyMemory<byte>? expected = null;
        if (grant.Digest.Length > 0)
        {
            byte[] digest = new byte[32];
            expected = digest;
            if (grant.Digest.Length != 64 || Convert.FromHexString(grant.Digest, digest, out _, out _) != System.Buffers.OperationStatus.Done)
                throw new ServingException(ServingError.GrantRefused, $"The manifest's digest of model '{grant.Name}' is not 64 hexadecimal digits; correct the manifest.");
        }
        try
        {
            // Without a digest the same maker's other models would fit the same key: then the name must be right too.
            return new SealedTrust(MakerPublicKey.FromSpki(grant.MakerKey.Span), expected, grant.MinimumVersion, expected is null ? grant.Name : null);
        }
        catch (SealingException refusal)
        {
            throw new ServingException(ServingError.GrantRefused, $"The manifest's maker key of model '{grant.Name}' is refused: {refusal.Message}", refusal);
        }
    }

    private static FileStream OpenFile(StoredVersion stored)
    {
        try
        {
            return new FileStream(stored.Path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous | FileOptions.RandomAccess);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ServingException(ServingError.SealedFileMissing, $"{stored.Name} is no longer in the store.", missing);
        }
    }

    private async Task<ServedModel> LoadAsync(ModelGrant grant, string file, SealedReader reader, bool replaces, CancellationToken cancellation)
    {
        string name = grant.Name, mode = PartitionEntries.DemandMode(grant, file, reader);
        if (mode == ModelModes.Enclave && !reader.Contains(ModelEntry))
            throw new ServingException(ServingError.EntryRefused, $"{file} has no entry {ModelEntry} or {CompiledModelEntry.Name}; seal the model under one of these names.");
        ModelConfiguration configuration = reader.Contains(ConfigurationEntry)
            ? ModelConfiguration.Read(await ReadSmallAsync(reader, ConfigurationEntry, ModelConfiguration.MaximumBytes, ServingError.ConfigurationRefused, cancellation))
            : new ModelConfiguration();
        if (configuration.Partition is not null && mode != ModelModes.Partitioned)
            throw new ServingException(ServingError.ConfigurationRefused, $"config.json is refused: 'partition' has no meaning for {file}, which holds a model in one part; leave it out.");
        ModelLabels? labels = reader.Contains(LabelsEntry)
            ? ModelLabels.Read(await ReadSmallAsync(reader, LabelsEntry, ModelLabels.MaximumBytes, ServingError.LabelsRefused, cancellation))
            : null;
        WarmUp warmUp = WarmUp.Read(
            reader.Contains(WarmUpEntry) ? await ReadSmallAsync(reader, WarmUpEntry, WarmUp.MaximumBytes, ServingError.WarmUpFailed, cancellation) : default, configuration.WarmUpZeros);
        var progress = new LoadProgress(name, reader.Header.ContentLength, options.Progress);
        IModelEngine engine = mode switch
        {
            ModelModes.Encrypted => engines.Create(name, await LoadCompiledAsync(file, reader, configuration, progress, cancellation), configuration, options.Batching),
            ModelModes.Partitioned => await LoadPartsAsync(grant, file, reader, labels, configuration, replaces || warmUp.IsAsked, progress, cancellation),
            _ => await LoadOnnxAsync(name, file, reader, configuration, progress, cancellation),
        };
        try
        {
            // The engine of a model in parts maps classes itself.
            var model = new ServedModel(name, reader.Header.Version, engine, configuration, mode == ModelModes.Partitioned ? null : labels, options.MaximumRequestBytes);
            await WarmUpAsync(warmUp, model, cancellation);
            extraction.Look(model);
            return model;
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }

    private async Task<IModelEngine> LoadOnnxAsync(string name, string file, SealedReader reader, ModelConfiguration configuration, LoadProgress progress, CancellationToken cancellation)
    {
        (OrtSession session, bool steady) = await LoadSessionAsync(file, reader, configuration, progress, cancellation);
        return await engines.CreateAsync(name, session, steady, configuration, options.Batching, cancellation);
    }

    private async Task<IModelEngine> LoadPartsAsync(
        ModelGrant grant, string file, SealedReader reader, ModelLabels? labels, ModelConfiguration configuration, bool awaited, LoadProgress progress, CancellationToken cancellation)
    {
        PartitionEntries.Demand(file, reader, configuration);
        ReadOnlyMemory<byte> assessor = grant.Partition?.AssessorKey ?? grant.MakerKey;
        PartitionReport report = SignedPartitionReport.Open(
            await ReadSmallAsync(reader, SignedPartitionReport.Name, SignedPartitionReport.MaximumBytes, ServingError.PartitionReportRefused, cancellation), assessor.Span);
        PartitionCheck.DemandScores(grant.Name, report, grant.Partition);
        byte[] back = await ReadSmallAsync(reader, PartitionEntries.Back, PartitionEntries.MaximumPartBytes, ServingError.PartitionRefused, cancellation);
        PartitionCheck.DemandPart(PartitionEntries.Back, back, report.Back);
        progress.Add(back.Length);
        OrtSession front = await LoadPartAsync(reader, PartitionEntries.Front, report.Front, configuration, progress, cancellation);
        OrtSession? tail = null;
        try
        {
            if (reader.Contains(PartitionEntries.Tail)) tail = await LoadPartAsync(reader, PartitionEntries.Tail, report.Tail, configuration, progress, cancellation);
            else PartitionCheck.DemandAbsent(PartitionEntries.Tail, report.Tail);
        }
        catch
        {
            front.Dispose();
            throw;
        }
        engines.TellReport(grant.Name, report, MakerPublicKey.FromSpki(assessor.Span));
        return await engines.CreateAsync(new PartitionedOpening(grant.Name, report, front, back, tail, labels, configuration), options.Batching, awaited, cancellation);
    }

    private async Task<OrtSession> LoadPartAsync(SealedReader reader, string entry, string? digest, ModelConfiguration configuration, LoadProgress progress, CancellationToken cancellation)
    {
        using PinnedBuffer part = await ReadPinnedAsync(reader, entry, progress, cancellation);
        PartitionCheck.DemandPart(entry, part.Span(0, (int)part.Length), digest);
        try
        {
            return OrtSession.FromPinned(part, new OrtSessionOptions { IntraThreads = configuration.Threads }, inPlaceFrom: configuration.InPlaceFrom);
        }
        catch (Exception refusal) when (refusal is OnnxRuntimeException or OnnxModelException)
        {
            throw new ServingException(ServingError.ModelRefused, $"{entry} is refused: {refusal.Message}", refusal);
        }
    }

    private async Task<CompiledModel> LoadCompiledAsync(string file, SealedReader reader, ModelConfiguration configuration, LoadProgress progress, CancellationToken cancellation)
    {
        CompiledModelEntry.Demand(file, reader, configuration);
        // Zeroed as soon as the model is made of it.
        using PinnedBuffer bytes = await ReadPinnedAsync(reader, CompiledModelEntry.Name, progress, cancellation);
        return CompiledModelEntry.Read(bytes.Span(0, (int)bytes.Length));
    }

    private async Task WarmUpAsync(WarmUp warmUp, ServedModel model, CancellationToken cancellation)
    {
        IModelObserver? observer = options.Repository.Observer;
        long start = observer?.Time.GetTimestamp() ?? 0;
        bool succeeded = false;
        try
        {
            await warmUp.RunAsync(model, pool, model.Configuration.Timeout ?? options.PredictionTimeout, cancellation);
            succeeded = true;
        }
        finally
        {
            if (warmUp.IsAsked) observer?.WarmedUp(model.Name, model.Version, observer.Time.GetElapsedTime(start), succeeded);
        }
    }

    private static async Task<byte[]> ReadSmallAsync(SealedReader reader, string entry, int maximum, ServingError error, CancellationToken cancellation)
    {
        long length = reader.LengthOf(entry);
        if (length > maximum) throw new ServingException(error, $"{entry} is refused: it is larger than {maximum} bytes.");
        byte[] bytes = new byte[(int)length];
        await reader.ReadAsync(entry, bytes, null, cancellation);
        return bytes;
    }

    private async Task<(OrtSession Session, bool Steady)> LoadSessionAsync(string file, SealedReader reader, ModelConfiguration configuration, LoadProgress progress, CancellationToken cancellation)
    {
        if (reader.LengthOf(ModelEntry) > int.MaxValue)
            throw new ServingException(ServingError.ModelRefused, $"{ModelEntry} is larger than 2 GiB, which protobuf does not allow; move its weights to external data.");
        // Disposing a buffer zeroes it once no session computes on it.
        using PinnedBuffer model = await ReadPinnedAsync(reader, ModelEntry, progress, cancellation);
        ModelProto parsed = OnnxModel.Parse(model.Memory(0, (int)model.Length));
        string[] locations = [.. OnnxModel.ExternalInitializers(parsed).Select(initializer => initializer.Location).Distinct(StringComparer.Ordinal)];
        Demand(file, reader, locations);
        var weights = new Dictionary<string, ExternalWeights>(StringComparer.Ordinal);
        try
        {
            foreach (string location in locations)
                weights.Add(location, new ExternalWeights(await ReadPinnedAsync(reader, location, progress, cancellation)));
            // Asked first: what was parsed points into the memory, which loading changes.
            bool steady = SteadyModel.Is(parsed);
            return (OrtSession.FromPinned(model, new OrtSessionOptions { IntraThreads = configuration.Threads }, weights, configuration.InPlaceFrom), steady);
        }
        finally
        {
            foreach (ExternalWeights weight in weights.Values) weight.Buffer.Dispose();
        }
    }

    private static void Demand(string file, SealedReader reader, string[] locations)
    {
        foreach (string location in locations)
            if (!reader.Contains(location) || IsOwn(location))
                throw new ServingException(ServingError.EntryRefused, $"{ModelEntry} wants its weights from '{location}', which {file} does not hold; seal the weights beside the model.");
        foreach (SealedEntry entry in reader.Header.Entries)
            if (!IsOwn(entry.Name) && !locations.Contains(entry.Name, StringComparer.Ordinal))
                throw new ServingException(ServingError.EntryRefused, $"{file} holds an entry '{entry.Name}' that nothing in the model uses; seal it without.");
    }

    private static bool IsOwn(string entry) => entry is ModelEntry or LabelsEntry or ConfigurationEntry or WarmUpEntry;

    private async Task<PinnedBuffer> ReadPinnedAsync(SealedReader reader, string entry, LoadProgress progress, CancellationToken cancellation)
    {
        const int Largest = 256 << 20; // at most 2 GiB fit one Memory<byte>; smaller parts show progress
        PinnedBuffer buffer = PinnedBuffer.Allocate(reader.LengthOf(entry), memory);
        try
        {
            for (long offset = 0; offset < buffer.Length; offset += Largest)
            {
                int length = (int)Math.Min(Largest, buffer.Length - offset);
                await reader.ReadAsync(entry, offset, buffer.Memory(offset, length), cancellation);
                progress.Add(length);
            }
            return buffer;
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    private sealed class LoadProgress(string model, long total, IProgress<ModelProgress>? listener)
    {
        private long _done;

        public void Add(int bytes) => listener?.Report(new ModelProgress(model, ModelState.Loading, _done += bytes, total));
    }
}

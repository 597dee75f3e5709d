using System.Diagnostics;
using System.Globalization;
using Cloister.Serving.AccessLog;
using Cloister.Serving.Batching;
using Cloister.Serving.Engines;
using Cloister.Serving.Repository;

namespace Cloister.Serving.Metrics;

/// <summary>What is read off the server when somebody asks: models, queues, batches, evidence, the process.</summary>
internal sealed class StateMetrics(ModelRepository repository, bool? simulated, AccessLogFile? accessLog)
{
    private const string Prefix = "cloister_serving_", TensorFlow = ":tensorflow:serving:batching_session:";

    private static readonly string[] Model = ["model"], ModelAndVersion = ["model", "version", "state"], ModelAndSize = ["model", "size"], Pool = ["thread_pool_name"];

    public void Write(Exposition text, Func<string, bool> sees)
    {
        text.Single(Prefix + "ready", "gauge", "1 if every model answers.", repository.IsReady ? 1 : 0);
        if (simulated is { } isSimulated) text.Single(Prefix + "evidence_simulated", "gauge", "1 if the evidence is simulated and proves nothing against the host.", isSimulated ? 1 : 0);
        if (accessLog is not null) text.Single(Prefix + "access_log_dropped_total", "counter", "Lines of the access log that were not written.", accessLog.Dropped);
        // States are open to probes anyway.
        text.Family(Prefix + "model_state", "gauge", "1 for the state that each version of a model is in.");
        foreach (ModelSlot slot in repository.Slots)
            foreach (VersionStatus version in slot.Versions)
                text.Sample(Prefix + "model_state", ModelAndVersion, new(slot.Name, Number(version.Version), version.State.ToString().ToLowerInvariant()), 1);
        (string Name, IModelEngine Engine)[] engines = [.. repository.Slots.Where(slot => sees(slot.Name) && slot.State == ModelState.Ready).Select(slot => (slot.Name, slot.Newest?.Engine!)).Where(engine => engine.Item2 is not null)];
        Gauge(text, "queue_depth", "What waits for the newest version of a model: requests, or items where they are joined.", engines, engine => engine.Load.Waiting);
        Gauge(text, "queue_limit", "How much may wait.", engines, engine => engine.Load.Limit);
        Gauge(text, "running", "Runs of a model under way.", engines, engine => engine.Load.Running);
        WriteBatches(text, [.. engines.Where(engine => engine.Engine is BatchingEngine).Select(engine => (engine.Name, ((BatchingEngine)engine.Engine).Statistics.Read()))]);
        AcceleratorMetrics.Write(text, engines);
        WriteProcess(text);
    }

    private static void Gauge(Exposition text, string name, string help, (string Name, IModelEngine Engine)[] engines, Func<IModelEngine, double> value)
    {
        if (engines.Length == 0) return;
        text.Family(Prefix + name, "gauge", help);
        foreach ((string model, IModelEngine engine) in engines) text.Sample(Prefix + name, Model, new(model), value(engine));
    }

    private static void WriteBatches(Exposition text, (string Model, BatchFigures Figures)[] batches)
    {
        if (batches.Length == 0) return;
        text.Family(Prefix + "batches_total", "counter", "Batches that were run, by their size with padding.");
        foreach ((string model, BatchFigures figures) in batches)
            foreach (BatchSizeFigures size in figures.Sizes)
                text.Sample(Prefix + "batches_total", ModelAndSize, new(model, Number(size.Size)), size.Batches);
        text.Family(Prefix + "batch_padding_items_total", "counter", "Items that were added to reach an allowed size.");
        foreach ((string model, BatchFigures figures) in batches) text.Sample(Prefix + "batch_padding_items_total", Model, new(model), figures.Padding);
        text.Family(Prefix + "batch_failures_total", "counter", "Batches that failed and whose requests were run one by one.");
        foreach ((string model, BatchFigures figures) in batches) text.Sample(Prefix + "batch_failures_total", Model, new(model), figures.Failures);
        WriteBatchingSession(text, batches);
    }

    // TF Serving's own, over all models; its thread pool's name is the model's here.
    private static void WriteBatchingSession(Exposition text, (string Model, BatchFigures Figures)[] batches)
    {
        text.Single(TensorFlow + "wrapped_run_count", "counter", "Total count of run calls on the wrapped session", batches.Sum(batch => batch.Figures.Batches));
        string sizes = TensorFlow + "processed_batch_size", waits = TensorFlow + "queuing_latency";
        text.Family(sizes, "histogram", "Tracks the batch size distribution on processing.");
        BatchSizeFigures[] all = [.. batches.SelectMany(batch => batch.Figures.Sizes)];
        for (int power = 0; power < 14; power++)
            text.Sample(sizes + "_bucket", [], default, all.Where(size => size.Size <= 1 << power).Sum(size => size.Batches), Number(1 << power));
        text.Sample(sizes + "_bucket", [], default, all.Sum(size => size.Batches), "+Inf");
        text.Sample(sizes + "_sum", [], default, all.Sum(size => (double)size.Size * size.Batches));
        text.Sample(sizes + "_count", [], default, all.Sum(size => size.Batches));
        text.Family(waits, "histogram", "Distribution of wall time spent (in microseconds) in queuing");
        foreach ((string model, BatchFigures figures) in batches)
        {
            long cumulative = 0;
            for (int i = 0; i < figures.Waits.Count; i++)
            {
                cumulative += figures.Waits[i];
                text.Sample(waits + "_bucket", Pool, new(model), cumulative, i == figures.Waits.Count - 1 ? "+Inf" : Number(1L << i));
            }
            text.Sample(waits + "_sum", Pool, new(model), figures.Waited.TotalMicroseconds);
            text.Sample(waits + "_count", Pool, new(model), cumulative);
        }
    }

    private static void WriteProcess(Exposition text)
    {
        using var process = Process.GetCurrentProcess();
        text.Single("process_cpu_seconds_total", "counter", "Processor time that the process used.", process.TotalProcessorTime.TotalSeconds);
        text.Single("process_resident_memory_bytes", "gauge", "Memory that the process holds.", process.WorkingSet64);
        text.Single("process_start_time_seconds", "gauge", "When the process began, in seconds since 1970.", new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0);
        text.Single("dotnet_gc_heap_bytes", "gauge", "Managed memory.", GC.GetTotalMemory(false));
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}

using Cloister.Onnx.Runtime;
using Cloister.Partitioning;
using Cloister.Partitioning.Reports;
using Cloister.Partitioning.Runner;
using Cloister.Serving.Engines;
using Cloister.Serving.Repository;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Partitioned;

/// <summary>A model in parts, ready to run, and its way to the accelerators.</summary>
internal sealed class PartitionedParts : IAsyncDisposable
{
    private static readonly TimeSpan s_leastStall = TimeSpan.FromSeconds(1);

    private readonly BackNet _back;

    private PartitionedParts(string model, BackNet back, PartitionedRunner runner, AcceleratorPool accelerators, ClassMapping? mapping, PartitionSetting setting)
    {
        (Model, _back, Runner, Accelerators, Mapping, Deadline) = (model, back, runner, accelerators, mapping, setting.Deadline);
        RunsInside = setting.FallsBackInside;
        MaximumItems = back.TakesBatches ? setting.MaximumItems : 1;
        Outputs = mapping?.Outputs ?? runner.Outputs;
    }

    public string Model { get; }

    public PartitionedRunner Runner { get; }

    public AcceleratorPool Accelerators { get; }

    /// <summary>Names the best classes; null where no labels are sealed.</summary>
    public ClassMapping? Mapping { get; }

    public IReadOnlyList<TensorInfo> Outputs { get; }

    /// <summary>How long a request may be outside.</summary>
    public TimeSpan Deadline { get; }

    /// <summary>Whether everything runs inside while no accelerator can be used.</summary>
    public bool RunsInside { get; }

    /// <summary>Items that one request may have.</summary>
    public int MaximumItems { get; }

    /// <summary>Joins the parts.</summary>
    /// <param name="opening">What was opened; its sessions belong to the parts from here on.</param>
    /// <param name="accelerators">The operator's.</param>
    /// <param name="pool">Memory for answers.</param>
    /// <param name="queueLimit">How many requests may be under way.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of connections and faults.</param>
    /// <exception cref="ServingException">The parts do not fit each other, or the labels.</exception>
    public static async Task<PartitionedParts> JoinAsync(PartitionedOpening opening, IReadOnlyList<AcceleratorAddress> accelerators, TensorPool pool, int queueLimit, TimeProvider time, ILogger logger)
    {
        PartitionSetting setting = opening.Configuration.Partition ?? new PartitionSetting();
        BackNet? back = null;
        AcceleratorPool? started = null;
        try
        {
            DemandFront(opening.Front, opening.Report);
            back = OpenBack(opening);
            IReadOnlyList<TensorInfo> outputs = opening.Tail?.Outputs ?? back.Outputs;
            DemandOutputs(outputs);
            ClassMapping? mapping = opening.Labels is { } labels ? ClassMapping.Of(outputs, labels, setting.TopK, pool) : null;
            started = AcceleratorPool.Start(back, accelerators, Options(setting, queueLimit, time), logger);
            return new PartitionedParts(opening.Model, back, new PartitionedRunner(opening.Front, started, opening.Tail), started, mapping, setting);
        }
        catch (Exception failure)
        {
            if (started is not null) await started.DisposeAsync();
            back?.Dispose();
            opening.Dispose();
            if (failure is PartitioningException refusal) throw PartitionCheck.Refused(refusal.Message, refusal);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Accelerators.DisposeAsync();
        Runner.Dispose();
        _back.Dispose();
    }

    internal static AcceleratorPoolOptions Options(PartitionSetting setting, int queueLimit, TimeProvider time)
    {
        var options = new AcceleratorPoolOptions
        {
            MaximumQueued = queueLimit,
            Depth = setting.Depth,
            MaximumBatch = setting.MaximumBatch,
            SpotChecks = setting.SpotChecks,
            Fallback = setting.FallsBackInside ? AcceleratorFallback.Inside : AcceleratorFallback.Refuse,
            TimeProvider = time,
        };
        // One that stalls is given up while there is time left for another one; but a short deadline is its callers' wish, and no reason
        // to hang up on an accelerator that takes a connection or a model as quickly as it can.
        TimeSpan half = setting.Deadline / 2;
        return half < options.StallTimeout ? options with { StallTimeout = half > s_leastStall ? half : s_leastStall } : options;
    }

    // What crosses is what was assessed: these tensors, in this order, and no other.
    private static void DemandFront(OrtSession front, PartitionReport report)
    {
        if (!front.Outputs.Select(output => output.Name).SequenceEqual(report.Cut, StringComparer.Ordinal))
            throw PartitionCheck.Refused($"{PartitionEntries.Front} gives {string.Join(", ", front.Outputs)}, and the report is of a cut at {string.Join(", ", report.Cut)}");
        foreach (TensorInfo input in front.Inputs)
        {
            if (input.Type is TensorElementType.String or TensorElementType.Int32 or TensorElementType.Int64)
                throw PartitionCheck.Refused($"its input '{input.Name}' takes {input.Type}, tokens of a text as far as can be seen: what a language model's layers give away is the text itself, at every depth (docs/partitioning.md). Serve it in mode enclave");
            if (!TensorTypes.IsCarried(input.Type)) throw PartitionCheck.Refused($"'{input.Name}' has elements of type {input.Type}, which cannot be sent; cast it inside the model");
        }
    }

    // What has no size of its own on every surface would tell its values.
    private static void DemandOutputs(IReadOnlyList<TensorInfo> outputs)
    {
        foreach (TensorInfo output in outputs)
            if (output.Type is not (TensorElementType.Float or TensorElementType.Double))
                throw PartitionCheck.Refused($"the output '{output.Name}' has elements of type {output.Type}, whose answers would have another size for another class; cast it to Float inside the model");
    }

    private static BackNet OpenBack(PartitionedOpening opening)
    {
        var shapes = new Dictionary<string, long[]>(StringComparer.Ordinal);
        foreach (TensorInfo output in opening.Front.Outputs)
            if (output.Shape.Count > 0 && output.Shape.Skip(1).All(dimension => dimension > 0)) shapes[output.Name] = [1, .. output.Shape.Skip(1)];
        try
        {
            return BackNet.Open(opening.Back, shapes, new OrtSessionOptions { IntraThreads = opening.Configuration.Threads });
        }
        catch (OnnxRuntimeException refusal)
        {
            throw new ServingException(ServingError.ModelRefused, $"ONNX Runtime refused {PartitionEntries.Back}: {refusal.Message}", refusal);
        }
    }
}

/// <summary>What was read of a sealed model in parts, every part checked against the report.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Report">What its assessor signed.</param>
/// <param name="Front">The part before the cut.</param>
/// <param name="Back">The part outside, ONNX.</param>
/// <param name="Tail">The part after it; null where there is none.</param>
/// <param name="Labels">The names of its classes; null for none.</param>
/// <param name="Configuration">What its maker says.</param>
internal sealed record PartitionedOpening(
    string Model, PartitionReport Report, OrtSession Front, byte[] Back, OrtSession? Tail, ModelLabels? Labels, ModelConfiguration Configuration) : IDisposable
{
    public void Dispose()
    {
        Front.Dispose();
        Tail?.Dispose();
    }
}

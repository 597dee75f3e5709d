using System.Collections.Immutable;
using Cloister.Partitioning.Runner;
using Cloister.Serving.Engines;
using Cloister.Serving.Partitioned;

namespace Cloister.Serving.Metrics;

/// <summary>What models in parts had of their accelerators, read off when somebody asks. Counts are of a version's pool and begin anew with each.</summary>
internal static class AcceleratorMetrics
{
    private const string Prefix = "cloister_serving_accelerator_";

    private static readonly string[] s_model = ["model"], s_outcome = ["model", "outcome"], s_fault = ["model", "fault"], s_direction = ["model", "direction"], s_phase = ["model", "phase"];

    /// <summary>Writes the figures of those engines that have accelerators.</summary>
    public static void Write(Exposition text, IEnumerable<(string Name, IModelEngine Engine)> engines)
    {
        (string Model, AcceleratorStatistics Figures, IReadOnlyList<AcceleratorState> Accelerators)[] pools =
            [.. engines.Where(engine => engine.Engine is PartitionedEngine).Select(engine => (engine.Name, ((PartitionedEngine)engine.Engine).Accelerators)).Select(pool => (pool.Name, pool.Accelerators.Statistics, pool.Accelerators.Accelerators))];
        if (pools.Length == 0) return;
        text.Family(Prefix + "requests_total", "counter", "Requests of a model's outer part, by what became of them.");
        foreach ((string model, AcceleratorStatistics figures, _) in pools)
        {
            text.Sample(Prefix + "requests_total", s_outcome, new(model, "outside"), figures.Answered);
            text.Sample(Prefix + "requests_total", s_outcome, new(model, "inside"), figures.Inside);
            text.Sample(Prefix + "requests_total", s_outcome, new(model, "refused"), figures.Refused);
        }
        Count(text, "batches_total", "Batches sent to accelerators.", pools.Select(pool => (pool.Model, pool.Figures.Batches)));
        Count(text, "retries_total", "Requests that were tried again after an accelerator failed them.", pools.Select(pool => (pool.Model, pool.Figures.Retries)));
        Count(text, "spot_checks_total", "Answers of accelerators that were computed again inside.", pools.Select(pool => (pool.Model, pool.Figures.SpotChecks)));
        text.Family(Prefix + "faults_total", "counter", "What accelerators did wrong; each ends a connection, and one that lied is not asked again.");
        foreach ((string model, AcceleratorStatistics figures, _) in pools)
            foreach (AcceleratorFault fault in Enum.GetValues<AcceleratorFault>())
                text.Sample(Prefix + "faults_total", s_fault, new(model, Words(fault)), figures.Faults.GetValueOrDefault(fault));
        text.Family(Prefix + "bytes_total", "counter", "Bytes over the boundary, the outer part of the model among them.");
        foreach ((string model, AcceleratorStatistics figures, _) in pools)
        {
            text.Sample(Prefix + "bytes_total", s_direction, new(model, "out"), figures.BytesOut);
            text.Sample(Prefix + "bytes_total", s_direction, new(model, "in"), figures.BytesIn);
        }
        text.Family(Prefix + "queued", "gauge", "Requests that wait for an accelerator.");
        foreach ((string model, AcceleratorStatistics figures, _) in pools) text.Sample(Prefix + "queued", s_model, new(model), figures.Queued);
        text.Family("cloister_serving_accelerators", "gauge", "Accelerators of a model, by where their connection stands.");
        foreach ((string model, _, IReadOnlyList<AcceleratorState> accelerators) in pools)
            foreach (AcceleratorPhase phase in Enum.GetValues<AcceleratorPhase>())
                text.Sample("cloister_serving_accelerators", s_phase, new(model, phase.ToString().ToLowerInvariant()), accelerators.Count(accelerator => accelerator.Phase == phase));
    }

    private static void Count(Exposition text, string name, string help, IEnumerable<(string Model, long Count)> counts)
    {
        text.Family(Prefix + name, "counter", help);
        foreach ((string model, long count) in counts) text.Sample(Prefix + name, s_model, new(model), count);
    }

    // WrongTensors as wrong_tensors.
    private static string Words(AcceleratorFault fault) =>
        string.Concat(fault.ToString().Select((letter, index) => char.IsUpper(letter) ? (index > 0 ? "_" : "") + char.ToLowerInvariant(letter) : letter.ToString()));
}

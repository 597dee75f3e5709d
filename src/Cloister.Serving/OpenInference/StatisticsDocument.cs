using Cloister.Serving.Json;
using Cloister.Serving.Statistics;

namespace Cloister.Serving.OpenInference;

/// <summary><c>$stats_model_response</c> of Triton's statistics extension.</summary>
internal static class StatisticsDocument
{
    /// <summary>Writes the statistics of versions, in the order given.</summary>
    public static void Write(JsonOutput json, IEnumerable<(string Model, long Version)> versions, StatisticsBook book)
    {
        json.Raw("{\"model_stats\":["u8);
        bool first = true;
        foreach ((string model, long version) in versions)
        {
            if (!first) json.Raw(","u8);
            first = false;
            Write(json, model, version, book.Of(model, version));
        }
        json.Raw("]}"u8);
    }

    private static void Write(JsonOutput json, string model, long version, ModelStatistics statistics)
    {
        json.Raw("{\"name\":"u8).Text(model).Raw(",\"version\":\""u8).Number(version).Raw("\",\"last_inference\":"u8).Number(statistics.LastInference)
            .Raw(",\"inference_count\":"u8).Number(statistics.Inferences).Raw(",\"execution_count\":"u8).Number(statistics.Executions)
            .Raw(",\"inference_stats\":{"u8);
        Duration(json, "success"u8, statistics.Success).Raw(","u8);
        Duration(json, "fail"u8, statistics.Fail).Raw(","u8);
        Duration(json, "queue"u8, statistics.Queue).Raw(","u8);
        Duration(json, "compute_input"u8, statistics.ComputeInput).Raw(","u8);
        Duration(json, "compute_infer"u8, statistics.ComputeInfer).Raw(","u8);
        Duration(json, "compute_output"u8, statistics.ComputeOutput).Raw(","u8);
        // There is no response cache.
        Duration(json, "cache_hit"u8, new DurationStatistic()).Raw(","u8);
        Duration(json, "cache_miss"u8, new DurationStatistic());
        json.Raw("},\"response_stats\":{},\"batch_stats\":["u8);
        bool first = true;
        foreach ((long size, BatchStatistic batch) in statistics.Batches)
        {
            json.Raw(first ? "{\"batch_size\":"u8 : ",{\"batch_size\":"u8).Number(size).Raw(","u8);
            first = false;
            Duration(json, "compute_input"u8, batch.ComputeInput).Raw(","u8);
            Duration(json, "compute_infer"u8, batch.ComputeInfer).Raw(","u8);
            Duration(json, "compute_output"u8, batch.ComputeOutput).Raw("}"u8);
        }
        json.Raw("],\"memory_usage\":[]}"u8);
    }

    private static JsonOutput Duration(JsonOutput json, ReadOnlySpan<byte> name, DurationStatistic duration) =>
        json.Raw("\""u8).Raw(name).Raw("\":{\"count\":"u8).Number(duration.Count).Raw(",\"ns\":"u8).Number(duration.Nanoseconds).Raw("}"u8);
}

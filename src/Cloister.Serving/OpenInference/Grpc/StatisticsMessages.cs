using System.Globalization;
using Cloister.Serving.OpenInference.Grpc.Wire;
using Cloister.Serving.Statistics;
using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.OpenInference.Grpc;

/// <summary>Triton's statistics extension over gRPC; what is told of which versions is decided once for REST and gRPC.</summary>
internal static class StatisticsMessages
{
    /// <exception cref="ServingException">There is no such model or version, or the caller may not use it.</exception>
    public static ModelStatisticsResponse Of(HttpContext http, PredictionService service, string name, string version)
    {
        var answer = new ModelStatisticsResponse();
        answer.ModelStats.AddRange(StatisticsDocument.Read(http, service, name.Length == 0 ? null : name, version.Length == 0 ? null : version).Select(Of));
        return answer;
    }

    private static Wire.ModelStatistics Of(StatisticsFigures version)
    {
        var statistics = new Wire.ModelStatistics
        {
            Name = version.Model,
            Version = version.Version.ToString(CultureInfo.InvariantCulture),
            LastInference = (ulong)version.LastInference,
            InferenceCount = (ulong)version.Inferences,
            ExecutionCount = (ulong)version.Executions,
            InferenceStats = new InferStatistics
            {
                Success = Of(version.Success),
                Fail = Of(version.Fail),
                Queue = Of(version.Queue),
                ComputeInput = Of(version.Input),
                ComputeInfer = Of(version.Infer),
                ComputeOutput = Of(version.Output),
                CacheHit = new StatisticDuration(), // there is no response cache
                CacheMiss = new StatisticDuration(),
            },
        };
        statistics.BatchStats.AddRange(version.Batches.Select(batch => new InferBatchStatistics
        {
            BatchSize = (ulong)batch.Size,
            ComputeInput = Of(batch.Input),
            ComputeInfer = Of(batch.Infer),
            ComputeOutput = Of(batch.Output),
        }));
        return statistics;
    }

    private static StatisticDuration Of(DurationFigures duration) => new() { Count = (ulong)duration.Count, Ns = (ulong)duration.Nanoseconds };
}

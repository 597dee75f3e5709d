using Cloister.Serving.Batching;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;
using Cloister.Serving.Statistics;
using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.OpenInference;

/// <summary>Triton's statistics extension: what it tells of which versions, on REST and gRPC, and its <c>$stats_model_response</c>.</summary>
internal static class StatisticsDocument
{
    /// <summary>The versions that are asked for: one, all of a model, or all of every model that the caller may use.</summary>
    /// <param name="http">The request.</param>
    /// <param name="service">The models.</param>
    /// <param name="model">The model's name; null for all.</param>
    /// <param name="version">The version; null for all.</param>
    /// <exception cref="ServingException">There is no such model or version, or the caller may not use it.</exception>
    public static IReadOnlyList<StatisticsFigures> Read(HttpContext http, PredictionService service, string? model, string? version)
    {
        if (model is null) return [.. service.Repository.Slots.Where(slot => service.MayUse(http, slot.Name)).SelectMany(slot => Available(slot, service))];
        using ModelLease lease = service.Open(http, model, VersionChoice.Parse(model, version));
        return version is null ? [.. Available(service.Repository.Find(model), service)] : [Of(lease.Model, service)];
    }

    /// <summary>Writes the answer.</summary>
    public static void Write(JsonOutput json, IReadOnlyList<StatisticsFigures> versions)
    {
        json.Raw("{\"model_stats\":["u8);
        for (int i = 0; i < versions.Count; i++)
        {
            if (i > 0) json.Raw(","u8);
            Write(json, versions[i]);
        }
        json.Raw("]}"u8);
    }

    private static IEnumerable<StatisticsFigures> Available(ModelSlot slot, PredictionService service)
    {
        foreach (VersionStatus version in slot.Versions)
        {
            if (version.State != ModelVersionState.Available) continue;
            ModelLease lease;
            try
            {
                lease = slot.Lease(new VersionChoice(version.Version, null));
            }
            catch (ServingException gone) when (gone.Error is ServingError.VersionNotFound or ServingError.ModelUnavailable)
            {
                continue;
            }
            using (lease) yield return Of(lease.Model, service);
        }
    }

    private static StatisticsFigures Of(ServedModel model, PredictionService service) =>
        StatisticsFigures.Of(model.Name, model.Version, service.Statistics.Of(model.Name, model.Version), (model.Engine as BatchingEngine)?.Statistics.Read());

    private static void Write(JsonOutput json, StatisticsFigures version)
    {
        json.Raw("{\"name\":"u8).Text(version.Model).Raw(",\"version\":\""u8).Number(version.Version).Raw("\",\"last_inference\":"u8).Number(version.LastInference)
            .Raw(",\"inference_count\":"u8).Number(version.Inferences).Raw(",\"execution_count\":"u8).Number(version.Executions)
            .Raw(",\"inference_stats\":{"u8);
        Duration(json, "success"u8, version.Success).Raw(","u8);
        Duration(json, "fail"u8, version.Fail).Raw(","u8);
        Duration(json, "queue"u8, version.Queue).Raw(","u8);
        Duration(json, "compute_input"u8, version.Input).Raw(","u8);
        Duration(json, "compute_infer"u8, version.Infer).Raw(","u8);
        Duration(json, "compute_output"u8, version.Output).Raw(","u8);
        // There is no response cache.
        Duration(json, "cache_hit"u8, default).Raw(","u8);
        Duration(json, "cache_miss"u8, default);
        json.Raw("},\"response_stats\":{},\"batch_stats\":["u8);
        for (int i = 0; i < version.Batches.Count; i++)
        {
            json.Raw(i == 0 ? "{\"batch_size\":"u8 : ",{\"batch_size\":"u8).Number(version.Batches[i].Size).Raw(","u8);
            Duration(json, "compute_input"u8, version.Batches[i].Input).Raw(","u8);
            Duration(json, "compute_infer"u8, version.Batches[i].Infer).Raw(","u8);
            Duration(json, "compute_output"u8, version.Batches[i].Output).Raw("}"u8);
        }
        json.Raw("],\"memory_usage\":[]}"u8);
    }

    private static JsonOutput Duration(JsonOutput json, ReadOnlySpan<byte> name, DurationFigures duration) =>
        json.Raw("\""u8).Raw(name).Raw("\":{\"count\":"u8).Number(duration.Count).Raw(",\"ns\":"u8).Number(duration.Nanoseconds).Raw("}"u8);
}

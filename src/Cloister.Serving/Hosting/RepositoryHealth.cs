using Cloister.Protocol.Grpc.Health;
using Cloister.Serving.OpenInference.Grpc;
using Cloister.Serving.Repository;
using Microsoft.Extensions.Primitives;

namespace Cloister.Serving;

/// <summary>
/// The health of the server, of its gRPC services (those of TF Serving with and without their package, as TF Serving's probes ask) and of
/// each model by its name. It is looked at anew every second for as long as somebody watches.
/// </summary>
internal sealed class RepositoryHealth(ModelRepository repository, TimeProvider time) : IGrpcHealthSource
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private static readonly string[] s_services =
    [
        "", OpenInferenceGrpcSurface.Service,
        "PredictionService", "ModelService", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService",
    ];

    public IEnumerable<KeyValuePair<string, GrpcServingStatus>> Services =>
        s_services.Concat(repository.Slots.Select(slot => slot.Name)).Select(service => KeyValuePair.Create(service, Find(service) ?? GrpcServingStatus.Unknown));

    public GrpcServingStatus? Find(string service)
    {
        if (Array.IndexOf(s_services, service) >= 0) return Of(repository.IsReady);
        foreach (ModelSlot slot in repository.Slots)
            if (slot.Name == service) return Of(slot.Newest is { Engine.IsReady: true });
        return null;
    }

    public IChangeToken Changed() => new CancellationChangeToken(new CancellationTokenSource(s_interval, time).Token);

    private static GrpcServingStatus Of(bool ready) => ready ? GrpcServingStatus.Serving : GrpcServingStatus.NotServing;
}

using System.Buffers;
using Cloister.Protocol.Grpc;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;
using Cloister.Serving.TensorFlow.Messages;
using Google.Protobuf;

namespace Cloister.Serving.TensorFlow.Grpc;

/// <summary><c>tensorflow.serving.ModelService</c>.</summary>
internal sealed class ModelMethods(PredictionService service)
{
    /// <summary>Where a model's versions stand; open to probes, as on the REST surface.</summary>
    public ValueTask GetModelStatusAsync(GrpcCallContext context, ReadOnlySequence<byte> request, IBufferWriter<byte> response, CancellationToken cancellation)
    {
        GetModelStatusRequest message = GrpcMessages.Parse(GetModelStatusRequest.Parser, request);
        RequestedModel asked = RequestedModel.Of(message.ModelSpec) ?? throw GrpcModels.Missing();
        var answer = new GetModelStatusResponse();
        foreach (VersionStatus version in ModelStatuses.Of(service.Repository, asked.Name, asked.Choice))
        {
            answer.ModelVersionStatus.Add(new ModelVersionStatus
            {
                Version = version.Version,
                State = (ModelVersionStatus.Types.State)version.State,
                Status = version.Reason is { } reason ? new StatusProto { ErrorCode = Code.FailedPrecondition, ErrorMessage = reason.Message } : new StatusProto(),
            });
        }
        answer.WriteTo(response);
        return ValueTask.CompletedTask;
    }

    /// <summary>Serves what the request says from now on, for a caller who administers models by the manifest and where the options allow it.</summary>
    public async ValueTask HandleReloadConfigRequestAsync(GrpcCallContext context, ReadOnlySequence<byte> request, IBufferWriter<byte> response, CancellationToken cancellation)
    {
        service.RequireAdministrator(context.Http);
        ReloadConfigRequest message = GrpcMessages.Parse(ReloadConfigRequest.Parser, request);
        ServingPlan plan = ReloadedPlan.Of(message.Config);
        await service.Repository.ApplyAsync(plan, cancellation);
        var answer = new ReloadConfigResponse { Status = new StatusProto() };
        // The metrics that TF Serving's callers watch count what it loads; none of them is counted under these names here.
        foreach (string name in message.MetricNames) answer.Metric.Add(new Metric { Name = name, Int64ValueIncrease = 0 });
        answer.WriteTo(response);
    }
}

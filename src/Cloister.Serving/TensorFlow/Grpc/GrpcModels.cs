using Cloister.Protocol.Grpc;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;

namespace Cloister.Serving.TensorFlow.Grpc;

/// <summary>What the gRPC methods do alike: find the model that it is for, refuse in TF Serving's words.</summary>
internal static class GrpcModels
{
    // tensorflow/serving, model_servers/grpc_status_util.cc: a longer text would not fit the headers of many clients.
    private const int LongestText = 1024;

    /// <summary>The model that is asked for.</summary>
    /// <exception cref="ServingException">The request names none.</exception>
    public static RequestedModel Demand(RequestedModel? asked) =>
        asked is null ? throw Missing() : asked.Name.Length == 0 ? throw new ServingException(ServingError.InvalidRequest, "ModelSpec has no name specified.") : asked;

    public static ServingException Missing() => new(ServingError.InvalidRequest, "Missing ModelSpec");

    public static ModelLease Admit(PredictionService service, GrpcCallContext context, RequestedModel asked)
    {
        try
        {
            return service.Admit(context.Http, asked.Name, asked.Choice);
        }
        catch (ServingException refusal)
        {
            throw TensorFlowNames.Translate(refusal, asked.Name, asked.Choice);
        }
    }

    public static ModelLease Open(PredictionService service, GrpcCallContext context, RequestedModel asked)
    {
        try
        {
            return service.Open(context.Http, asked.Name, asked.Choice);
        }
        catch (ServingException refusal)
        {
            throw TensorFlowNames.Translate(refusal, asked.Name, asked.Choice);
        }
    }

    /// <summary>A handler whose refusals have texts of TF Serving's length.</summary>
    public static GrpcUnaryHandler Bounded(GrpcUnaryHandler handler) => async (context, request, response, cancellation) =>
    {
        try
        {
            await handler(context, request, response, cancellation);
        }
        catch (ServingException refusal) when (refusal.Message.Length > LongestText)
        {
            throw new ServingException(refusal.Error, refusal.Message[..LongestText] + "...TRUNCATED", refusal) { RetryAfter = refusal.RetryAfter };
        }
    };
}

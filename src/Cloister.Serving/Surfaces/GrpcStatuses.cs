using Cloister.Protocol.Grpc;

namespace Cloister.Serving.Surfaces;

/// <summary>The gRPC status of a refusal, the same on both gRPC surfaces.</summary>
internal static class GrpcStatuses
{
    public static GrpcStatus Of(ServingError error) => error switch
    {
        ServingError.Unauthenticated or ServingError.CredentialRefused => GrpcStatus.Unauthenticated,
        ServingError.Forbidden or ServingError.NotAdministrator or ServingError.ChangesNotAllowed or ServingError.EnvelopeRefused or ServingError.OtherOwner => GrpcStatus.PermissionDenied,
        ServingError.ModelNotFound or ServingError.VersionNotFound or ServingError.ModelNotGranted => GrpcStatus.NotFound,
        ServingError.LabelRefused or ServingError.PlanIncomplete or ServingError.SignatureNotFound or ServingError.OtherModelServed => GrpcStatus.FailedPrecondition,
        ServingError.TooLarge or ServingError.Overloaded or ServingError.QuotaExceeded => GrpcStatus.ResourceExhausted,
        ServingError.Unsupported or ServingError.UnsupportedEncoding => GrpcStatus.Unimplemented,
        ServingError.ModelUnavailable or ServingError.Stopping or ServingError.KeysUnavailable or ServingError.AcceleratorFailed => GrpcStatus.Unavailable,
        ServingError.DeadlineExceeded => GrpcStatus.DeadlineExceeded,
        ServingError.Cancelled => GrpcStatus.Cancelled,
        ServingError.EngineFailed => GrpcStatus.Internal,
        _ => GrpcStatus.InvalidArgument,
    };
}

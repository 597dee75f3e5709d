using System.Collections.Immutable;
using Cloister.Coordinator.Metrics;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Stores;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Activation;

/// <summary>The service <c>rpc.Marble</c> on the mesh port. A challenge in the request tells Cloister's mode from MarbleRun's wire.</summary>
internal static class ActivationEndpoints
{
    // A request is a CSR of at most 16 KiB and evidence; the event log of a TPM may have some hundred KiB.
    private static readonly GrpcServerOptions Bounds = new() { MaxRequestBytes = 2 << 20, MaxDuration = TimeSpan.FromSeconds(30) };

    // Some certificates and two keys.
    private static readonly GrpcServerOptions EnrolmentBounds = new() { MaxRequestBytes = 128 << 10, MaxDuration = TimeSpan.FromSeconds(30) };

    public static void MapActivation(this IEndpointRouteBuilder routes, ChallengeService challenges, EnrolmentService enrolments, OwnModeActivation own, MarbleRunActivation marbleRun,
        LiveState state, ActivationMetrics? metrics, ILogger logger)
    {
        routes.MapGrpcUnary(MarbleService.ChallengePath, ChallengeReq.Parser,
            (_, request, cancellation) => GuardAsync(() => challenges.ChallengeAsync(request, cancellation), logger), Bounds);
        routes.MapGrpcUnary(MarbleService.EnrolPath, EnrolReq.Parser, (_, request, _) => GuardAsync(() => Task.FromResult(enrolments.Begin(request)), logger), EnrolmentBounds);
        routes.MapGrpcUnary(MarbleService.CredentialPath, TpmCredentialMessage.Parser,
            (_, request, cancellation) => GuardAsync(() => challenges.OpenAsync(request, cancellation), logger), EnrolmentBounds);
        routes.MapGrpcUnary(MarbleService.ActivatePath, ActivationReq.Parser,
            (call, request, cancellation) => GuardAsync(() => MeasureAsync(request, state, metrics,
                () => request.Challenge.IsEmpty
                    ? marbleRun.ActivateAsync(RequireMarbleRunOnly(request), call.ClientCertificate, cancellation)
                    : own.ActivateAsync(request, call.ClientCertificate, cancellation)), logger), Bounds);
        routes.MapGrpcUnimplemented();
    }

    // Whoever sends Cloister's fields means Cloister's mode: leaving the challenge out must not lead to the weaker wire.
    private static ActivationReq RequireMarbleRunOnly(ActivationReq request) => request.Evidence.IsEmpty && !request.Renewal
        ? request
        : throw new CoordinatorException(CoordinatorError.ChallengeUnknown, "The request carries evidence and no challenge. Ask for a challenge first.");

    private static async Task<ActivationResp> MeasureAsync(ActivationReq request, LiveState state, ActivationMetrics? metrics, Func<Task<ActivationResp>> activate)
    {
        if (metrics is null)
            return await activate();
        Guid? uuid = UuidText.TryParse(request.UUID, out Guid read) ? read : null;
        bool succeeded = false;
        try
        {
            ActivationResp answer = await activate();
            succeeded = true;
            metrics.Succeeded(request.MarbleType, read, request.Quote.Memory);
            return answer;
        }
        finally
        {
            if (!succeeded)
                metrics.Refused(state.Current.Manifest?.Plans.ContainsKey(request.MarbleType) == true ? request.MarbleType : null, uuid);
        }
    }

    internal static async Task<T> GuardAsync<T>(Func<Task<T>> work, ILogger logger)
    {
        try
        {
            return await work();
        }
        catch (CoordinatorException refused)
        {
            logger.ActivationRefused(refused.Error, refused.Message);
            throw new GrpcException(StatusOf(refused.Error), refused.Message, Trailers(refused), refused);
        }
        catch (StoreException failed)
        {
            logger.StorageFailed(failed.Error, failed);
            throw new GrpcException(GrpcStatus.Unavailable, "The coordinator's state could not be written; nothing was handed out. Try again.", inner: failed);
        }
    }

    internal static GrpcStatus StatusOf(CoordinatorError error) => error switch
    {
        CoordinatorError.WrongState or CoordinatorError.NoEvidence => GrpcStatus.FailedPrecondition,
        CoordinatorError.BadRequest or CoordinatorError.BadUuid or CoordinatorError.CredentialRefused => GrpcStatus.InvalidArgument,
        CoordinatorError.Busy => GrpcStatus.ResourceExhausted,
        CoordinatorError.ConnectionWithoutCertificate => GrpcStatus.Unauthenticated,
        CoordinatorError.EvidenceFailed => GrpcStatus.Unavailable,
        // MarbleRun's codes for a bad request of a certificate, an unset secret, a template that fails and a secret that cannot be made.
        CoordinatorError.RequestRefused or CoordinatorError.AwaitingSecrets or CoordinatorError.ParametersRefused or CoordinatorError.SecretNotMade => GrpcStatus.Internal,
        _ => GrpcStatus.PermissionDenied,
    };

    private static ImmutableDictionary<string, string>? Trailers(CoordinatorException refused) => refused.AwaitedSecrets.IsEmpty
        ? null
        : ImmutableDictionary<string, string>.Empty.Add(MarbleService.AwaitingSecretTrailer, string.Join(',', refused.AwaitedSecrets.Select(TrailerText)));

    // A trailer is printable ASCII and the comma separates: names that hold anything else are percent-encoded.
    private static string TrailerText(string name) => Uri.EscapeDataString(name);
}

using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Google.Protobuf;

namespace Cloister.Workload;

/// <summary>
/// Shows that the key of a coordinator's evidence is in the TPM that it is said to be in, where the workload's policy asks for that: the coordinator's
/// TPM has to open a credential that only it can open. Nothing of the workload's is in it.
/// </summary>
internal static class CoordinatorEnrolment
{
    private const int MaxAnswer = 4 << 10;

    /// <summary>Runs the activation; null if the policy asks for none.</summary>
    /// <exception cref="GrpcException">The coordinator or the connection failed.</exception>
    public static async Task<Outcome<TpmEnrolledKey>?> RunAsync(ExchangeContext context, GrpcChannel channel, ReadOnlyMemory<byte> evidence, TimeSpan timeout, CancellationToken cancellation)
    {
        if (!TpmEnrolment.IsAskedFor(context.Policy.Coordinator))
            return null;
        Outcome<TpmActivation> begun = TpmEnrolment.Begin(context.Policy.Coordinator, evidence.Span, VerificationTime.At(context.Time.GetUtcNow()));
        if (!begun.TryGetValue(out TpmActivation? activation))
            return begun.RefuseAs<TpmEnrolledKey>();
        using (activation)
        {
            var request = new TpmCredentialMessage { Blob = ByteString.CopyFrom(activation.Credential.Blob.Span), EncryptedSecret = ByteString.CopyFrom(activation.Credential.EncryptedSecret.Span) };
            try
            {
                CredentialResp answer = await channel.UnaryAsync(MarbleService.CredentialPath, request, CredentialResp.Parser,
                    new GrpcCallOptions { Timeout = timeout, MaxResponseBytes = MaxAnswer }, cancellation);
                return TpmEnrolment.Complete(activation, answer.Secret.Span);
            }
            catch (GrpcException refused) when (refused.Status == GrpcStatus.InvalidArgument)
            {
                return Outcome.Refuse<TpmEnrolledKey>(Refusal.TpmActivationFailed, "credential", "the coordinator's TPM did not open a credential for the keys that its evidence shows");
            }
        }
    }
}

using Cloister.Attestation.Tpm;
using Cloister.Platform;
using Cloister.Platform.Tpm;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Google.Protobuf;

namespace Cloister.Workload;

/// <summary>
/// Shows the verified coordinator that this workload's attestation key is in a certified TPM, where its package asks for that (docs/wire.md,
/// "Activation of a TPM's key"). Which package that is, the coordinator knows: a workload with a TPM offers, and is told that nothing is asked for.
/// </summary>
internal static class WorkloadEnrolment
{
    private const int MaxAnswer = 4 << 10;

    /// <summary>Runs the enrolment for an open challenge.</summary>
    /// <returns>The secret that goes into the activation, the caller's to zero; empty if none is asked for, or there is no TPM with a certificate.</returns>
    /// <exception cref="GrpcException">The coordinator's or the connection's refusal.</exception>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.CredentialNotOpened"/>.</exception>
    public static async Task<byte[]> RunAsync(ExchangeContext context, GrpcChannel channel, ByteString challenge, TimeSpan timeout, CancellationToken cancellation)
    {
        if (context.Issuer is not ICredentialHolder holder || await EndorsementAsync(context, holder, cancellation) is not { } endorsement)
            return [];
        var request = new EnrolReq
        {
            Challenge = challenge,
            MarbleType = context.Options.MarbleType,
            EndorsementCertificate = ByteString.CopyFrom(endorsement.Certificate.Span),
            EndorsementKey = ByteString.CopyFrom(endorsement.EndorsementKey.Span),
            AttestationKey = ByteString.CopyFrom(endorsement.AttestationKey.Span),
        };
        request.Intermediates.AddRange((endorsement.Intermediates.IsDefault ? [] : endorsement.Intermediates).Select(one => ByteString.CopyFrom(one.Span)));
        EnrolResp answer = await channel.UnaryAsync(MarbleService.EnrolPath, request, EnrolResp.Parser,
            new GrpcCallOptions { Timeout = timeout, MaxResponseBytes = MaxAnswer }, cancellation);
        if (answer.Credential is not { } credential)
            return [];
        try
        {
            return await holder.ActivateAsync(new TpmCredential(credential.Blob.Memory, credential.EncryptedSecret.Memory), cancellation);
        }
        catch (PlatformException e)
        {
            throw new WorkloadException(WorkloadError.CredentialNotOpened, $"This machine's TPM did not open the coordinator's credential: {e.Message}", e);
        }
    }

    // A package may well name the key itself, or ask for none: the coordinator refuses where it needs what is missing here.
    private static async ValueTask<TpmEndorsement?> EndorsementAsync(ExchangeContext context, ICredentialHolder holder, CancellationToken cancellation)
    {
        try
        {
            return await holder.EndorsementAsync(cancellation);
        }
        catch (PlatformException e) when (e.Error == PlatformError.TpmEndorsementAbsent)
        {
            context.Logger.NoEndorsement(e.Message);
            return null;
        }
        catch (PlatformException e)
        {
            throw new WorkloadException(WorkloadError.EvidenceIssuer, $"This machine's TPM could not be used: {e.Message}", e);
        }
    }
}

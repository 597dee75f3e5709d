using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Protocol.Rest;

namespace Cloister.Client;

/// <summary>
/// Shows that the key of a coordinator's evidence is in the TPM that it is said to be in, where a policy asks for that: the coordinator's TPM has to
/// open a credential that only it can open.
/// </summary>
internal static class CoordinatorEnrolment
{
    private const int MaxAnswer = 4 << 10;

    /// <summary>Runs the activation; null if the policy asks for none.</summary>
    /// <exception cref="ClientException">The coordinator cannot be reached, is busy, or its answer cannot be read.</exception>
    public static async Task<Outcome<TpmEnrolledKey>?> RunAsync(PinnedHttp http, PackagePolicy policy, ReadOnlyMemory<byte> evidence, VerificationTime time, CancellationToken cancellation)
    {
        if (!TpmEnrolment.IsAskedFor(policy))
            return null;
        Outcome<TpmActivation> begun = TpmEnrolment.Begin(policy, evidence.Span, time);
        if (!begun.TryGetValue(out TpmActivation? activation))
            return begun.RefuseAs<TpmEnrolledKey>();
        using (activation)
        {
            TpmCredential credential = activation.Credential;
            byte[] body = RestJson.Write(new CredentialV3(credential.Blob.ToArray(), credential.EncryptedSecret.ToArray()), RestJson.Strict.CredentialV3);
            try
            {
                HttpAnswer answer = await http.PostAsync(RestPaths.CredentialV3, body, MaxAnswer, cancellation);
                return TpmEnrolment.Complete(activation, RestAnswer.Data(answer, RestJson.Strict.JSendCredentialSecretV3, "the opening of a credential").Secret);
            }
            catch (ClientException e) when (e is { Error: ClientError.RefusedByServer, ServerCode: "CredentialRefused" })
            {
                return Outcome.Refuse<TpmEnrolledKey>(Refusal.TpmActivationFailed, "credential", "the coordinator's TPM did not open a credential for the keys that its evidence shows");
            }
        }
    }
}

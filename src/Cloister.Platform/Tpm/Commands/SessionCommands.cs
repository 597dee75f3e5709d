using Cloister.Attestation.Tpm;

namespace Cloister.Platform.Tpm.Commands;

/// <summary>TPM2_StartAuthSession (TPM 2.0 Library part 3, 11.1), TPM2_PolicySecret (23.4), TPM2_PolicyPCR (23.7), TPM2_PolicyGetDigest (23.6).</summary>
internal static class SessionCommands
{
    private const uint StartAuthSession = 0x176, PolicySecret = 0x151, PolicyPcr = 0x17F, PolicyGetDigest = 0x189;
    private const int NonceSize = 16;
    private const byte PolicyType = 1;

    /// <summary>Starts a policy session: neither bound nor salted, for it authorises by what is true and carries no value.</summary>
    public static async ValueTask<TpmObject> StartPolicyAsync(this TpmChannel channel, CancellationToken cancellation)
    {
        byte[] nonce = System.Security.Cryptography.RandomNumberGenerator.GetBytes(NonceSize);
        TpmCommand command = new TpmCommand(StartAuthSession).UInt32(TpmHandles.None).UInt32(TpmHandles.None)
            .Sized(nonce).Sized([]).Byte(PolicyType).Algorithm(TpmAlgorithm.Null).Algorithm(TpmAlgorithm.Sha256);
        (TpmObject session, TpmAnswer answer) = await channel.LoadAsync(command, cancellation);
        using (answer)
        {
            answer.Sized();
            answer.End();
            return session;
        }
    }

    /// <summary>Shows the session that the caller knows a hierarchy's authorisation: the policy of endorsement keys.</summary>
    public static async ValueTask PolicySecretAsync(this TpmChannel channel, TpmObject session, uint hierarchy, TpmAuthorisation authorisation, CancellationToken cancellation)
    {
        const uint noExpiry = 0;
        using TpmAnswer answer = await channel.RunAsync(
            new TpmCommand(PolicySecret).UInt32(hierarchy).UInt32(session.Handle).Authorise(authorisation).Sized([]).Sized([]).Sized([]).UInt32(noExpiry), cancellation);
        answer.Sized();
        answer.Rest();
    }

    /// <summary>Shows the session the PCRs as they are.</summary>
    public static async ValueTask PolicyPcrAsync(this TpmChannel channel, TpmObject session, TpmPcrSelection selection, CancellationToken cancellation)
    {
        using TpmAnswer answer = await channel.RunAsync(new TpmCommand(PolicyPcr).UInt32(session.Handle).Sized([]).Selection(selection), cancellation);
        answer.End();
    }

    public static async ValueTask<byte[]> PolicyDigestAsync(this TpmChannel channel, TpmObject session, CancellationToken cancellation)
    {
        using TpmAnswer answer = await channel.RunAsync(new TpmCommand(PolicyGetDigest).UInt32(session.Handle), cancellation);
        byte[] digest = answer.Sized().ToArray();
        answer.End();
        return digest;
    }
}

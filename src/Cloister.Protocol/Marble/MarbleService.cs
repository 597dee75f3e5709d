namespace Cloister.Protocol.Marble;

/// <summary>Paths and trailer names of <c>rpc.Marble</c>, the service on the coordinator's mesh port.</summary>
public static class MarbleService
{
    /// <summary>Path of <c>Activate</c> (<see cref="ActivationReq"/> to <see cref="ActivationResp"/>).</summary>
    public const string ActivatePath = "/rpc.Marble/Activate";

    /// <summary>Path of <c>Challenge</c> (<see cref="ChallengeReq"/> to <see cref="ChallengeResp"/>).</summary>
    public const string ChallengePath = "/rpc.Marble/Challenge";

    /// <summary>Path of <c>Enrol</c> (<see cref="EnrolReq"/> to <see cref="EnrolResp"/>).</summary>
    public const string EnrolPath = "/rpc.Marble/Enrol";

    /// <summary>Path of <c>Credential</c> (<see cref="TpmCredentialMessage"/> to <see cref="CredentialResp"/>).</summary>
    public const string CredentialPath = "/rpc.Marble/Credential";

    /// <summary>Path of <c>Disk</c> (<see cref="DiskReq"/> to <see cref="DiskResp"/>).</summary>
    public const string DiskPath = "/rpc.Marble/Disk";

    /// <summary>Trailer of an activation refused because secrets are unset: their names, separated by commas.</summary>
    public const string AwaitingSecretTrailer = "cloister-awaiting-secret";

    /// <summary>Bytes in a coordinator's challenge.</summary>
    public const int ChallengeBytes = 32;
}

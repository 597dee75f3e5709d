namespace Cloister.Protocol.Rest;

/// <summary>Paths of the coordinator's and the workload's REST surfaces.</summary>
public static class RestPaths
{
    /// <summary>State of the coordinator; both wires.</summary>
    public const string StatusV3 = "/api/v3/status";
    /// <summary>Fresh evidence; query <c>nonce</c>, base64url.</summary>
    public const string EvidenceV3 = "/api/v3/evidence";
    /// <summary>Gets or sets the manifest.</summary>
    public const string ManifestV3 = "/api/v3/manifest";
    /// <summary>Uploads or reads user-defined secrets.</summary>
    public const string SecretsV3 = "/api/v3/secrets";

    /// <summary>Acknowledges secrets that an update withholds.</summary>
    public const string AcknowledgeSecretsV3 = "/api/v3/secrets/acknowledge";
    /// <summary>Gets the update log, or sends an update.</summary>
    public const string UpdateV3 = "/api/v3/update";
    /// <summary>Gets or acknowledges the pending update.</summary>
    public const string PendingUpdateV3 = "/api/v3/update-manifest";
    /// <summary>Cancels the pending update.</summary>
    public const string CancelUpdateV3 = "/api/v3/update-cancel";

    /// <summary>Lets the coordinator's TPM open a credential.</summary>
    public const string CredentialV3 = "/api/v3/credential";

    /// <summary>MarbleRun: state.</summary>
    public const string StatusV2 = "/api/v2/status";
    /// <summary>MarbleRun: quote and certificate chain.</summary>
    public const string QuoteV2 = "/api/v2/quote";
    /// <summary>MarbleRun: gets or sets the manifest.</summary>
    public const string ManifestV2 = "/api/v2/manifest";
    /// <summary>MarbleRun: secrets.</summary>
    public const string SecretsV2 = "/api/v2/secrets";

    /// <summary>MarbleRun: gets the update log, or sends an update.</summary>
    public const string UpdateV2 = "/api/v2/update";
    /// <summary>MarbleRun: gets or acknowledges the pending update.</summary>
    public const string PendingUpdateV2 = "/api/v2/update-manifest";
    /// <summary>MarbleRun: cancels the pending update.</summary>
    public const string CancelUpdateV2 = "/api/v2/update-cancel";

    /// <summary>Takes a recovery secret.</summary>
    public const string RecoverV3 = "/api/v3/recover";
    /// <summary>The key that recovery secrets may be encrypted to.</summary>
    public const string RecoverPublicKeyV3 = "/api/v3/recover/public-key";
    /// <summary>MarbleRun: takes a recovery secret.</summary>
    public const string RecoverV2 = "/api/v2/recover";
    /// <summary>MarbleRun: the key that recovery secrets may be encrypted to.</summary>
    public const string RecoverPublicKeyV2 = "/api/v2/recover/public-key";

    /// <summary>A workload's fresh evidence; query <c>nonce</c>, base64url.</summary>
    public const string WorkloadEvidence = "/.well-known/cloister/evidence";
}

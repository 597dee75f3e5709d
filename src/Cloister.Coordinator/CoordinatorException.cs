using System.Collections.Immutable;

namespace Cloister.Coordinator;

/// <summary>Why the coordinator refused a request. Numbers are stable and never reused.</summary>
public enum CoordinatorError
{
    /// <summary>The coordinator's state does not admit this request.</summary>
    WrongState = 100,
    /// <summary>The request is malformed.</summary>
    BadRequest = 101,
    /// <summary>The request is larger than its bound.</summary>
    TooLarge = 102,
    /// <summary>The request's content type is not the one expected.</summary>
    WrongContentType = 103,
    /// <summary>No such path or method.</summary>
    UnknownEndpoint = 104,
    /// <summary>Too much is being asked for at once.</summary>
    Busy = 105,
    /// <summary>The request did not arrive in time.</summary>
    TooSlow = 106,

    /// <summary>The manifest is not valid.</summary>
    ManifestRefused = 200,
    /// <summary>The manifest asks for something this version cannot do.</summary>
    ManifestNotSupported = 201,
    /// <summary>The manifest needs a signature of a configured owner.</summary>
    OwnerSignatureRequired = 202,
    /// <summary>A signature that came with the manifest does not verify.</summary>
    OwnerSignatureInvalid = 203,

    /// <summary>The client certificate belongs to no user of the manifest.</summary>
    NotAuthenticated = 300,
    /// <summary>The user may not do this.</summary>
    NotPermitted = 301,
    /// <summary>The manifest defines no such secret, or it is not for users to write.</summary>
    UnknownSecret = 302,
    /// <summary>A secret's value does not fit its definition.</summary>
    SecretRefused = 303,
    /// <summary>Another manifest is in force than the one the uploader verified.</summary>
    OtherManifest = 304,

    /// <summary>This coordinator has no means to produce evidence.</summary>
    NoEvidence = 400,
    /// <summary>The platform failed to produce evidence.</summary>
    EvidenceFailed = 401,
    /// <summary>The platform's TPM did not open a credential.</summary>
    CredentialRefused = 402,

    /// <summary>The challenge is unknown or was used.</summary>
    ChallengeUnknown = 500,
    /// <summary>The challenge is too old.</summary>
    ChallengeExpired = 501,
    /// <summary>The UUID is none.</summary>
    BadUuid = 502,
    /// <summary>The manifest defines no such workload type.</summary>
    UnknownType = 503,
    /// <summary>The evidence was refused.</summary>
    EvidenceRefused = 504,
    /// <summary>The evidence states another type, UUID or manifest.</summary>
    StatementRefused = 505,
    /// <summary>The certificate request was refused.</summary>
    RequestRefused = 506,
    /// <summary>The connection's key is not the one that the certificate is asked for.</summary>
    KeyNotBound = 507,
    /// <summary>All activations of this type are used.</summary>
    BudgetSpent = 508,
    /// <summary>A secret that the workload needs was not uploaded yet.</summary>
    AwaitingSecrets = 509,
    /// <summary>The workload's type cannot be activated on this wire.</summary>
    WireNotAllowed = 510,
    /// <summary>The connection's certificate does not allow this renewal.</summary>
    RenewalRefused = 511,
    /// <summary>A parameter of the workload could not be rendered.</summary>
    ParametersRefused = 512,
    /// <summary>The activation of the workload's attestation key was refused, or does not belong to this request.</summary>
    EnrolmentRefused = 513,

    /// <summary>A key or certificate that the manifest asks for could not be made.</summary>
    SecretNotMade = 520,

    /// <summary>An update waits for acknowledgements already.</summary>
    UpdateInProgress = 600,
    /// <summary>No update waits for acknowledgements.</summary>
    NoPendingUpdate = 601,
    /// <summary>The update asks for what an update of its kind cannot do.</summary>
    UpdateRefused = 602,
    /// <summary>What was acknowledged or cancelled is not the update that waits.</summary>
    OtherUpdate = 603,
    /// <summary>The user may not acknowledge or cancel updates.</summary>
    NotAnUpdater = 604,

    /// <summary>A recovery secret is none of the expected ones.</summary>
    RecoverySecretRefused = 630,
    /// <summary>A recovery secret is not signed by its recovery key.</summary>
    RecoverySignatureInvalid = 631,
    /// <summary>The recovery secrets do not open the state.</summary>
    RecoveryFailed = 632,
    /// <summary>Recovery is at another path.</summary>
    RecoveryMoved = 633,
    /// <summary>The manifest in force does not enable this feature.</summary>
    FeatureDisabled = 660,
    /// <summary>A quote that was to be signed does not verify.</summary>
    QuoteRefused = 661,
    /// <summary>A counter's name is too long, or there are too many counters.</summary>
    CounterRefused = 662,
    /// <summary>The connection shows no client certificate.</summary>
    ConnectionWithoutCertificate = 663,
    /// <summary>The client certificate belongs to no workload of this coordinator.</summary>
    WorkloadNotAuthenticated = 664,

    /// <summary>The state could not be written.</summary>
    StorageFailed = 900,
}

/// <summary>A refused request: what happened, why, and what to do next. The text goes to the caller and the log; it is one line and never holds a secret.</summary>
public sealed class CoordinatorException(CoordinatorError error, string message, Exception? inner = null) : Exception(OneLine(message), inner)
{
    private const int MaxText = 8000;

    /// <summary>The stable reason.</summary>
    public CoordinatorError Error { get; } = error;

    /// <summary>With <see cref="CoordinatorError.AwaitingSecrets"/>: the secrets' names.</summary>
    public ImmutableArray<string> AwaitedSecrets { get; init; } = [];

    /// <summary>The member of the request that is at fault, and why, where MarbleRun's answer names one.</summary>
    internal KeyValuePair<string, string>? FailedMember { get; init; }

    // Names that a request brought stand in it: they must not write lines of their own into a log.
    private static string OneLine(string text)
    {
        string bounded = text.Length <= MaxText ? text : text[..MaxText] + "...";
        return bounded.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0 ? bounded : string.Concat(bounded.Select(c => char.IsControl(c) ? ' ' : c));
    }
}

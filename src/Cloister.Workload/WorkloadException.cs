namespace Cloister.Workload;

/// <summary>Why a workload could not be activated, renewed or run. Numbers are stable and append-only; 1xx configuration, 2xx coordinator, 3xx command.</summary>
public enum WorkloadError
{
    /// <summary>An option or environment variable is missing or malformed.</summary>
    InvalidOptions = 100,

    /// <summary>The UUID file cannot be read, written or understood.</summary>
    UuidFile = 101,

    /// <summary>The coordinator policy beside the program is missing or malformed.</summary>
    CoordinatorPolicy = 102,

    /// <summary>This machine could not produce evidence.</summary>
    EvidenceIssuer = 103,

    /// <summary>The coordinator did not prove to be the one the policy wants; see <see cref="WorkloadException.Coordinator"/>.</summary>
    CoordinatorRefused = 200,

    /// <summary>The coordinator refused the activation for good: unknown type, unwanted measurement, exhausted budget.</summary>
    ActivationRefused = 201,

    /// <summary>The coordinator's answer does not fit what was asked: a foreign key, chain, type, UUID or fingerprint.</summary>
    InvalidAnswer = 202,

    /// <summary>The manifest in force is not the one this workload was activated under; it must start anew.</summary>
    ManifestChanged = 203,

    /// <summary>The certificate expired before the coordinator renewed it.</summary>
    CertificateExpired = 204,

    /// <summary>This machine's TPM did not open the credential that the coordinator made for its keys.</summary>
    CredentialNotOpened = 210,

    /// <summary>A file of the manifest could not be written safely.</summary>
    ParameterFile = 300,

    /// <summary>An environment variable or argument of the manifest is not text that a process can take.</summary>
    ParameterText = 301,

    /// <summary>The command could not be started.</summary>
    CommandStart = 302,

    /// <summary>No answer came on a sealed disk; whether a commit counts is then not known, and asking again tells.</summary>
    DiskUnanswered = 310,

    /// <summary>The coordinator refused to answer for a sealed disk; nothing changed there.</summary>
    DiskRefused = 311,
}

/// <summary>Anything that stops a workload for good. What may pass by waiting is never thrown: it is waited for and reported.</summary>
public sealed class WorkloadException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="error">The stable number.</param>
    /// <param name="message">What happened, why, and what to do next; never a secret.</param>
    /// <param name="inner">The cause, if another exception is.</param>
    public WorkloadException(WorkloadError error, string message, Exception? inner = null)
        : base(message, inner) => Error = error;

    /// <summary>The stable number of the cause.</summary>
    public WorkloadError Error { get; }

    /// <summary>With <see cref="WorkloadError.CoordinatorRefused"/>: every check of the coordinator, in order.</summary>
    public Cloister.Attestation.AttestationResult? Coordinator { get; init; }
}

namespace Cloister.Platform;

/// <summary>What went wrong with the platform. Numbers are stable and append-only.</summary>
public enum PlatformError
{
    /// <summary>No source of evidence is configured or present.</summary>
    NoAttester = 100,

    /// <summary>The simulator's socket is not there, or nobody listens on it.</summary>
    SimulatorAbsent = 101,
    /// <summary>The simulator refused; its reason is in the message.</summary>
    SimulatorRefused = 102,
    /// <summary>The simulator's answer is not one.</summary>
    SimulatorAnswerInvalid = 103,
    /// <summary>The simulator did not answer in time.</summary>
    SimulatorTimeout = 104,
    /// <summary>Another simulator listens on the socket.</summary>
    SimulatorAlreadyRunning = 105,
    /// <summary>The socket's path cannot be used.</summary>
    SocketPathInvalid = 106,

    /// <summary>A folder or file to be measured is not there or cannot be read.</summary>
    MeasurementUnreadable = 200,
    /// <summary>A folder to be measured holds a link, a device or another special file.</summary>
    MeasurementSpecialFile = 201,
    /// <summary>A folder to be measured is larger than is measured.</summary>
    MeasurementTooLarge = 202,
    /// <summary>A folder to be measured is empty.</summary>
    MeasurementEmpty = 203,
    /// <summary>The calling process cannot be measured; the message says why.</summary>
    PeerNotMeasurable = 204,
    /// <summary>The calling process ended or was replaced while it was measured.</summary>
    PeerChanged = 205,
    /// <summary>A command is not there.</summary>
    CommandNotFound = 206,

    /// <summary>A key file is readable by others than its owner.</summary>
    KeyFileExposed = 300,
    /// <summary>A key file cannot be read or written.</summary>
    KeyFileUnusable = 301,
    /// <summary>A key file's content is not a key.</summary>
    KeyFileInvalid = 302,

    /// <summary>A sealed secret was changed, sealed on another platform, or for something else.</summary>
    UnsealRefused = 400,

    /// <summary>What names a TPM is neither a device nor a software TPM's socket.</summary>
    TpmAddressInvalid = 500,
    /// <summary>There is no such device, or nobody listens on the socket.</summary>
    TpmAbsent = 501,
    /// <summary>This user may not open the device or socket.</summary>
    TpmNotReadable = 502,
    /// <summary>Another program has the TPM, or it stays busy.</summary>
    TpmBusy = 503,
    /// <summary>The TPM did not answer in time.</summary>
    TpmTimeout = 504,
    /// <summary>The connection ended before the answer did.</summary>
    TpmConnectionLost = 505,
    /// <summary>The TPM's answer is not one.</summary>
    TpmAnswerInvalid = 506,
    /// <summary>The TPM refused; its own code is in the message.</summary>
    TpmRefused = 507,
    /// <summary>The TPM was not started.</summary>
    TpmNotStarted = 508,
    /// <summary>The TPM has no room for one more object or session.</summary>
    TpmFull = 509,
    /// <summary>The TPM is locked against guessing.</summary>
    TpmLockedOut = 510,
    /// <summary>The TPM does not keep PCRs of the wanted bank.</summary>
    TpmBankAbsent = 511,
    /// <summary>A PCR was extended again and again while it was quoted.</summary>
    TpmPcrMoved = 512,
    /// <summary>The TPM holds no certificate of its endorsement key.</summary>
    TpmEndorsementAbsent = 513,
    /// <summary>A credential was made for other keys than this TPM's.</summary>
    TpmCredentialRefused = 514,
    /// <summary>The machine is in another state than a secret was sealed to.</summary>
    TpmPolicyRefused = 515,
    /// <summary>A secret was sealed to another TPM.</summary>
    TpmSealedElsewhere = 516,
    /// <summary>These bytes are not a secret that was sealed to a TPM.</summary>
    TpmSealedInvalid = 517,
    /// <summary>The boot's event log is there and cannot be read.</summary>
    EventLogUnreadable = 518,
}

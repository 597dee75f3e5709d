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
}

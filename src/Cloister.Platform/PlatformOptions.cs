namespace Cloister.Platform;

/// <summary>Where this machine's platform is found.</summary>
/// <param name="SimulatorSocket">The Unix socket of a simulator; null if evidence is not to be simulated.</param>
/// <param name="HostKeyFolder">The directory of the key that seals where no TEE or TPM does.</param>
public sealed record PlatformOptions(string? SimulatorSocket = null, string HostKeyFolder = "")
{
    /// <summary>The environment variable that names the simulator's socket.</summary>
    public const string SimulatorVariable = "CLOISTER_SIMULATOR";

    /// <summary>The options with the simulator's socket from the environment, if it is set there.</summary>
    /// <param name="hostKeyFolder">The directory of the sealing key.</param>
    public static PlatformOptions FromEnvironment(string hostKeyFolder = "") =>
        new(Environment.GetEnvironmentVariable(SimulatorVariable) is { Length: > 0 } socket ? socket : null, hostKeyFolder);
}

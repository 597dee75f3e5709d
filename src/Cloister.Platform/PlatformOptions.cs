namespace Cloister.Platform;

/// <summary>Where this machine's platform is found.</summary>
/// <param name="SimulatorSocket">The Unix socket of a simulator; null if evidence is not to be simulated.</param>
/// <param name="HostKeyFolder">The directory of the key that seals where no TEE or TPM does.</param>
/// <param name="Tpm">The TPM: <c>/dev/tpmrm0</c>, <c>/dev/tpm0</c> or <c>swtpm:/path/to/server.sock</c>; null if none is to be used. It comes before a simulator and a host key.</param>
public sealed record PlatformOptions(string? SimulatorSocket = null, string HostKeyFolder = "", string? Tpm = null)
{
    /// <summary>The environment variable that names the simulator's socket.</summary>
    public const string SimulatorVariable = "CLOISTER_SIMULATOR";

    /// <summary>The environment variable that names the TPM.</summary>
    public const string TpmVariable = "CLOISTER_TPM";

    /// <summary>The options with the simulator's socket and the TPM from the environment, if they are set there.</summary>
    /// <param name="hostKeyFolder">The directory of the sealing key.</param>
    public static PlatformOptions FromEnvironment(string hostKeyFolder = "") => new(Value(SimulatorVariable), hostKeyFolder, Value(TpmVariable));

    private static string? Value(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
}

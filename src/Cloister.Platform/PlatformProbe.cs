using Cloister.Platform.Simulation;

namespace Cloister.Platform;

/// <summary>Finds what this machine can attest and seal with.</summary>
public static class PlatformProbe
{
    /// <summary>The issuer of this machine.</summary>
    /// <exception cref="PlatformException">There is none (<see cref="PlatformError.NoAttester"/>).</exception>
    public static IEvidenceIssuer CreateIssuer(PlatformOptions options) => options.SimulatorSocket is { Length: > 0 } socket
        ? new SimulatorIssuer(socket)
        : throw new PlatformException(PlatformError.NoAttester,
            "No source of evidence: this version issues evidence through a simulator alone. Start one with `cloister simulator` and name its socket in " + PlatformOptions.SimulatorVariable + ".");

    /// <summary>The sealer of this machine: a host key in a file, until a TEE or TPM is supported.</summary>
    /// <exception cref="PlatformException">No folder is named.</exception>
    public static IPlatformSealer CreateSealer(PlatformOptions options) => options.HostKeyFolder is { Length: > 0 } folder
        ? new HostKeySealer(folder)
        : throw new PlatformException(PlatformError.KeyFileUnusable, "No directory for the host's sealing key is named.");
}

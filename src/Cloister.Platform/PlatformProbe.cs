using Cloister.Platform.Simulation;
using Cloister.Platform.Tpm;

namespace Cloister.Platform;

/// <summary>Finds what this machine can attest and seal with.</summary>
public static class PlatformProbe
{
    /// <summary>The issuer of this machine: its TPM where one is named, else a simulator.</summary>
    /// <exception cref="PlatformException">None is named (<see cref="PlatformError.NoAttester"/>), or the TPM is not there. Whether it may be used shows at the first use.</exception>
    public static IEvidenceIssuer CreateIssuer(PlatformOptions options) =>
        options.Tpm is { Length: > 0 } tpm ? TpmIssuer.Open(Present(tpm))
        : options.SimulatorSocket is { Length: > 0 } socket ? new SimulatorIssuer(socket)
        : throw new PlatformException(PlatformError.NoAttester,
            "No source of evidence. Name this machine's TPM in " + PlatformOptions.TpmVariable + " (such as /dev/tpmrm0), or start a simulator with `cloister simulator` and name its socket in " + PlatformOptions.SimulatorVariable + ".");

    /// <summary>The sealer of this machine: its TPM where one is named, else a host key in a file.</summary>
    /// <exception cref="PlatformException">Neither is named, or the TPM is not there.</exception>
    public static IPlatformSealer CreateSealer(PlatformOptions options) =>
        options.Tpm is { Length: > 0 } tpm ? new TpmSealer(Present(tpm))
        : options.HostKeyFolder is { Length: > 0 } folder ? new HostKeySealer(folder)
        : throw new PlatformException(PlatformError.KeyFileUnusable, "No directory for the host's sealing key is named.");

    private static string Present(string tpm)
    {
        var address = TpmAddress.Parse(tpm);
        return File.Exists(address.Path) ? tpm : throw TpmConnection.Absent(address, null);
    }
}

using Cloister.Platform;

namespace Cloister.Workload;

/// <summary>This machine's own source of evidence.</summary>
internal static class PlatformIssuer
{
    /// <exception cref="WorkloadException"><see cref="WorkloadError.EvidenceIssuer"/>: there is none, and the text says what is missing.</exception>
    public static IEvidenceIssuer Create(WorkloadOptions options)
    {
        try
        {
            return PlatformProbe.CreateIssuer(new PlatformOptions(options.SimulatorSocket, Tpm: options.Tpm));
        }
        catch (PlatformException e)
        {
            throw new WorkloadException(WorkloadError.EvidenceIssuer, e.Message, e);
        }
    }
}

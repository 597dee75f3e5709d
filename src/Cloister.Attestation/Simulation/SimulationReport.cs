using System.Security.Cryptography;

namespace Cloister.Attestation.Simulation;

/// <summary>What a simulator's report says, before or after its signature was checked (docs/formats/simulated-report.md).</summary>
/// <param name="HostKey">The simulator's P-256 key, DER SubjectPublicKeyInfo.</param>
/// <param name="Measurement">32 bytes: the digest of the program's folder or command.</param>
/// <param name="ReportData">64 bytes: what the program asked to have signed.</param>
/// <param name="Executable">The program's path on its machine; for people, never for decisions.</param>
public sealed record SimulationReport(ReadOnlyMemory<byte> HostKey, ReadOnlyMemory<byte> Measurement, ReadOnlyMemory<byte> ReportData, string Executable)
{
    /// <summary>Bytes of <see cref="Measurement"/>.</summary>
    public const int MeasurementSize = 32;

    /// <summary>Bytes of <see cref="ReportData"/>.</summary>
    public const int ReportDataSize = 64;

    /// <summary>Makes and signs a report.</summary>
    /// <param name="hostKey">The simulator's private P-256 key.</param>
    /// <param name="measurement">32 bytes.</param>
    /// <param name="reportData">64 bytes.</param>
    /// <param name="executable">The measured program's path, at most <see cref="SimulationLayout.MaximumPath"/> bytes of UTF-8.</param>
    /// <exception cref="ArgumentException">A part has a size that the layout does not hold.</exception>
    public static byte[] Encode(ECDsa hostKey, ReadOnlySpan<byte> measurement, ReadOnlySpan<byte> reportData, string executable)
    {
        byte[] body = SimulationLayout.WriteBody(new SimulationReport(hostKey.ExportSubjectPublicKeyInfo(), measurement.ToArray(), reportData.ToArray(), executable));
        return [.. body, .. hostKey.SignData(SimulationLayout.Signed(body), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)];
    }
}

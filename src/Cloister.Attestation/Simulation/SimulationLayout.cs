using System.Security.Cryptography;
using System.Text;

namespace Cloister.Attestation.Simulation;

/// <summary>The bytes of a simulated report (docs/formats/simulated-report.md). Parsing proves nothing.</summary>
public static class SimulationLayout
{
    /// <summary>Most bytes of the executable's path.</summary>
    public const int MaximumPath = 4096;

    internal const int SignatureSize = 64;

    private const int Version = 1, MaximumHostKey = 256, CoordinateSize = 32;
    private static readonly UTF8Encoding StrictUtf8 = new(false, true);

    private static ReadOnlySpan<byte> Magic => "CLOISTER SIMULATED EVIDENCE"u8;

    /// <summary>SubjectPublicKeyInfo of an uncompressed P-256 point, up to the point's coordinates (RFC 5480).</summary>
    private static ReadOnlySpan<byte> P256Prefix =>
    [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
        0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ];

    private static ReadOnlySpan<byte> SignatureLabel => "cloister/simulation/report/v1"u8;

    /// <summary>Parses a report. Its signature is not checked here.</summary>
    public static Outcome<SimulationReport> Parse(ReadOnlySpan<byte> report)
    {
        var reader = new FieldReader(report);
        if (!reader.TryBytes(Magic.Length, out ReadOnlySpan<byte> magic) || !magic.SequenceEqual(Magic))
            return Refuse(Refusal.ReportMagic, "magic", "these bytes are not a simulated report");
        if (!reader.TryUInt16(out ushort version)) return Truncated("version");
        if (version != Version) return Refuse(Refusal.ReportVersion, "version", $"version {version}; this verifier reads version {Version}");
        if (reader.TryPrefixed(MaximumHostKey, out ReadOnlySpan<byte> key) is not Refusal.None and var badKey) return Unread(badKey, "hostKey");
        if (!reader.TryBytes(SimulationReport.MeasurementSize, out ReadOnlySpan<byte> measurement)) return Truncated("measurement");
        if (!reader.TryBytes(SimulationReport.ReportDataSize, out ReadOnlySpan<byte> reportData)) return Truncated("reportData");
        if (reader.TryPrefixed(MaximumPath, out ReadOnlySpan<byte> path) is not Refusal.None and var badPath) return Unread(badPath, "executable");
        if (!reader.TryBytes(SignatureSize, out _)) return Truncated("signature");
        if (reader.Remaining != 0) return Refuse(Refusal.ReportTrailingBytes, "report", $"{reader.Remaining} bytes follow the signature");
        if (TextOf(path) is not { } executable) return Refuse(Refusal.ReportField, "executable", "a path is UTF-8 without control characters");
        return Outcome.Accept(new SimulationReport(key.ToArray(), measurement.ToArray(), reportData.ToArray(), executable));
    }

    internal static byte[] WriteBody(SimulationReport report)
    {
        byte[] path = Encoding.UTF8.GetBytes(report.Executable);
        if (report.HostKey.Length > MaximumHostKey) throw new ArgumentException("The host key is not a P-256 key.", nameof(report));
        if (report.Measurement.Length != SimulationReport.MeasurementSize) throw new ArgumentException($"A measurement has {SimulationReport.MeasurementSize} bytes.", nameof(report));
        if (report.ReportData.Length != SimulationReport.ReportDataSize) throw new ArgumentException($"Report data have {SimulationReport.ReportDataSize} bytes.", nameof(report));
        if (path.Length > MaximumPath || TextOf(path) is null) throw new ArgumentException("The executable's path cannot be written into a report.", nameof(report));
        return new FieldWriter().Raw(Magic).UInt16(Version).Prefixed(report.HostKey.Span)
            .Raw(report.Measurement.Span).Raw(report.ReportData.Span).Prefixed(path).ToArray();
    }

    /// <summary>What is signed: the label with its length, then all that stands before the signature.</summary>
    internal static byte[] Signed(ReadOnlySpan<byte> body) => new FieldWriter().Prefixed(SignatureLabel).Raw(body).ToArray();

    /// <summary>The host key, or null if it is not a P-256 key in its one DER form.</summary>
    internal static ECDsa? ImportHostKey(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        // Compared before anything parses it: an unknown curve or another encoding of the same key never reaches the platform's reader.
        ReadOnlySpan<byte> prefix = P256Prefix;
        if (subjectPublicKeyInfo.Length != prefix.Length + 2 * CoordinateSize || !subjectPublicKeyInfo.StartsWith(prefix)) return null;
        ReadOnlySpan<byte> point = subjectPublicKeyInfo[prefix.Length..];
        try
        {
            return ECDsa.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = point[..CoordinateSize].ToArray(), Y = point[CoordinateSize..].ToArray() },
            });
        }
        catch (Exception offCurve) when (offCurve is CryptographicException or PlatformNotSupportedException)
        {
            return null; // .NET says "platform not supported" where OpenSSL finds the point off the curve
        }
    }

    /// <summary>Fuzz target: an accepted report is written back to the same bytes.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (Parse(bytes).TryGetValue(out SimulationReport? report) && !WriteBody(report).AsSpan().SequenceEqual(bytes[..^SignatureSize]))
            throw new InvalidOperationException("Two encodings of one report.");
    }

    private static string? TextOf(ReadOnlySpan<byte> path)
    {
        try
        {
            string text = StrictUtf8.GetString(path);
            return text.Any(char.IsControl) ? null : text;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static Outcome<SimulationReport> Unread(Refusal refusal, string field) => refusal == Refusal.EvidenceTruncated
        ? Truncated(field)
        : Refuse(Refusal.ReportField, field, "its length is over the layout's limit");

    private static Outcome<SimulationReport> Truncated(string field) => Refuse(Refusal.ReportTruncated, field, "the report ends before this field does");

    private static Outcome<SimulationReport> Refuse(Refusal refusal, string field, string reason) => Outcome.Refuse<SimulationReport>(refusal, field, reason);
}

using System.Buffers.Binary;

namespace Cloister.Attestation.SevSnp;

/// <summary>The bytes of an attestation report (AMD 56860, ATTESTATION_REPORT, versions 2 to 5; little-endian).</summary>
public static class SnpLayout
{
    /// <summary>Bytes of a report.</summary>
    public const int ReportSize = 0x4A0;

    internal const int VersionAt = 0x000, GuestSvnAt = 0x004, PolicyAt = 0x008, FamilyIdAt = 0x010, ImageIdAt = 0x020, VmplAt = 0x030, AlgorithmAt = 0x034, CurrentTcbAt = 0x038,
        PlatformInfoAt = 0x040, FlagsAt = 0x048, ReportDataAt = 0x050, MeasurementAt = 0x090, HostDataAt = 0x0C0, IdKeyDigestAt = 0x0E0, AuthorKeyDigestAt = 0x110,
        ReportIdAt = 0x140, ReportIdMaAt = 0x160, ReportedTcbAt = 0x180, ProcessorAt = 0x188, ChipIdAt = 0x1A0, CommittedTcbAt = 0x1E0, CurrentFirmwareAt = 0x1E8,
        CommittedFirmwareAt = 0x1EC, LaunchTcbAt = 0x1F0, LaunchMitigationsAt = 0x1F8, CurrentMitigationsAt = 0x200, SignatureAt = 0x2A0, CoordinateSize = 72;

    private const uint EcdsaP384Sha384 = 1, KnownFlags = 0x1F;
    private const int MinimumVersion = 2, MaximumVersion = 5, ProcessorSince = 3, MitigationsSince = 5;
    private const ulong PolicyMustBeOne = 1UL << 17, KnownPolicy = (1UL << 26) - 1;

    /// <summary>Reads a report of exactly <see cref="ReportSize"/> bytes. The result keeps a reference to them.</summary>
    public static Outcome<SnpReport> Parse(ReadOnlyMemory<byte> report)
    {
        ReadOnlySpan<byte> bytes = report.Span;
        if (bytes.Length != ReportSize)
            return Refuse(bytes.Length < ReportSize ? Refusal.ReportTruncated : Refusal.ReportTrailingBytes, "report", $"{bytes.Length} bytes; a report has {ReportSize}. What wraps a report is taken off before");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (version is < MinimumVersion or > MaximumVersion) return Refuse(Refusal.ReportVersion, "VERSION", $"version {version}; this verifier reads {MinimumVersion} to {MaximumVersion}");
        uint algorithm = BinaryPrimitives.ReadUInt32LittleEndian(bytes[AlgorithmAt..]);
        if (algorithm != EcdsaP384Sha384) return Refuse(Refusal.SnpAlgorithm, "SIGNATURE_ALGO", $"algorithm {algorithm}; the only one is 1, ECDSA P-384 with SHA-384");
        ulong policy = BinaryPrimitives.ReadUInt64LittleEndian(bytes[PolicyAt..]);
        if ((policy & PolicyMustBeOne) == 0) return Refuse(Refusal.ReportField, "POLICY", "bit 17 must be one");
        if ((policy & ~KnownPolicy) != 0) return Refuse(Refusal.SnpReservedNotZero, "POLICY", $"0x{policy:x}: a reserved bit is set");
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(bytes[FlagsAt..]);
        if ((flags & ~KnownFlags) != 0) return Refuse(Refusal.SnpReservedNotZero, "0x048", $"0x{flags:x}: a reserved bit is set");
        if ((flags >> 2 & 7) is 2 or 3 or 4 or 5 or 6) return Refuse(Refusal.ReportField, "SIGNING_KEY", $"{flags >> 2 & 7} names no key");
        if (NotZero(bytes, 0x04C, 4) || NotZero(bytes, 0x18B, 21) || NotZero(bytes, 0x1EB, 1) || NotZero(bytes, 0x1EF, 1) || NotZero(bytes, 0x208, 152) || NotZero(bytes, 0x330, 368))
            return Refuse(Refusal.SnpReservedNotZero, "report", "a reserved byte is not zero");
        if (version < ProcessorSince && NotZero(bytes, ProcessorAt, 3)) return Refuse(Refusal.SnpReservedNotZero, "CPUID", $"a report of version {version} does not name its processor");
        if (version < MitigationsSince && NotZero(bytes, LaunchMitigationsAt, 16)) return Refuse(Refusal.SnpReservedNotZero, "MIT_VECTOR", $"a report of version {version} has no mitigation vectors");
        return Outcome.Accept(new SnpReport(report));
    }

    /// <summary>
    /// Takes a report out of what carries it: the response of the firmware (MSG_REPORT_RSP: status, size, 24 reserved bytes, report, zeros)
    /// or a report followed by zeros, as Azure's interfaces hand it out. Anything else comes back as it is, for <see cref="Parse"/> to refuse.
    /// </summary>
    public static ReadOnlyMemory<byte> Unwrap(ReadOnlyMemory<byte> wrapped)
    {
        const int responseHeader = 32, largest = 4096;
        ReadOnlySpan<byte> bytes = wrapped.Span;
        if (bytes.Length is <= ReportSize or > largest) return wrapped;
        bool response = bytes.Length >= responseHeader + ReportSize
            && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == 0 && BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) == ReportSize
            && !NotZero(bytes, 8, responseHeader - 8) && !bytes[(responseHeader + ReportSize)..].ContainsAnyExcept((byte)0);
        // The response is looked for first: a report ends in zeros, so its response looks like a longer report followed by some.
        if (response) return wrapped.Slice(responseHeader, ReportSize);
        return bytes[ReportSize..].ContainsAnyExcept((byte)0) ? wrapped : wrapped[..ReportSize];
    }

    /// <summary>Fuzz target: what is read shows every field without failing.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (Parse(Unwrap(bytes.ToArray())).TryGetValue(out SnpReport? report) && (report.Signed.Length != SignatureAt || report.CurrentFirmware.Build < 0 || report.Version > MaximumVersion))
            throw new InvalidOperationException("A report that cannot be.");
    }

    private static bool NotZero(ReadOnlySpan<byte> bytes, int at, int length) => bytes.Slice(at, length).ContainsAnyExcept((byte)0);

    private static Outcome<SnpReport> Refuse(Refusal refusal, string field, string reason) => Outcome.Refuse<SnpReport>(refusal, field, reason);
}

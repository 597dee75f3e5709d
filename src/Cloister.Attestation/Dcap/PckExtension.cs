using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.Dcap;

/// <summary>
/// What a PCK certificate says of its platform: the extension 1.2.840.113741.1.13.1 ("Intel SGX PCK Certificate and Certificate
/// Revocation List Profile Specification").
/// </summary>
public sealed record PckExtension
{
    private const int Components = 16;

    /// <summary>Content octets of 1.2.840.113741.1.13.1.</summary>
    private static ReadOnlySpan<byte> Arc => [0x2A, 0x86, 0x48, 0x86, 0xF8, 0x4D, 0x01, 0x0D, 0x01];

    private PckExtension()
    {
    }

    /// <summary>16 bytes: the platform's provisioning identifier.</summary>
    public required ReadOnlyMemory<byte> Ppid { get; init; }

    /// <summary>16 security versions that TCB levels are compared with.</summary>
    public required ReadOnlyMemory<byte> TcbComponents { get; init; }

    /// <summary>The provisioning certification enclave's security version.</summary>
    public required int PceSvn { get; init; }

    /// <summary>16 bytes: the processor's own form of its security version.</summary>
    public required ReadOnlyMemory<byte> CpuSvn { get; init; }

    /// <summary>2 bytes: which provisioning certification enclave.</summary>
    public required ReadOnlyMemory<byte> PceId { get; init; }

    /// <summary>6 bytes: family, model, stepping, platform type, custom SKU.</summary>
    public required ReadOnlyMemory<byte> Fmspc { get; init; }

    /// <summary>0 standard, 1 scalable, 2 scalable with integrity.</summary>
    public required int SgxType { get; init; }

    /// <summary>Whether processors may be added to the platform; null if it does not say.</summary>
    public required bool? DynamicPlatform { get; init; }

    /// <summary>Whether keys are cached by Intel's registration service; null if it does not say.</summary>
    public required bool? CachedKeys { get; init; }

    /// <summary>Whether simultaneous multithreading is on; null if it does not say.</summary>
    public required bool? Smt { get; init; }

    /// <summary>Reads the extension of a PCK certificate. Its items may stand in any order, each once; unknown ones are passed over.</summary>
    public static Outcome<PckExtension> Parse(Certificate certificate)
    {
        if (!certificate.TryGetExtension(Arc, out ReadOnlyMemory<byte> value)) return Refuse("it has no SGX extension");
        var reader = new DerReader(value);
        if (!reader.TryReadInto(DerReader.Sequence, out DerReader items) || !reader.IsEmpty) return Refuse("its SGX extension is not one SEQUENCE");
        uint seen = 0;
        ReadOnlyMemory<byte> ppid = default, pceId = default, fmspc = default, cpuSvn = default;
        var components = new byte[Components];
        int pceSvn = 0, sgxType = 0;
        bool? dynamicPlatform = null, cachedKeys = null, smt = null;
        while (!items.IsEmpty)
        {
            if (!TryReadItem(ref items, Arc.Length, out int arc, out DerReader content)) return Refuse("an item of its SGX extension is not an identifier and a value");
            if (arc is < 1 or > 7) continue;
            if ((seen & 1u << arc) != 0) return Refuse($"item {arc} of its SGX extension stands twice");
            seen |= 1u << arc;
            bool read = arc switch
            {
                1 => content.TryRead(DerReader.OctetString, out ppid) && ppid.Length == 16,
                2 => TryReadTcb(ref content, components, out pceSvn, out cpuSvn),
                3 => content.TryRead(DerReader.OctetString, out pceId) && pceId.Length == 2,
                4 => content.TryRead(DerReader.OctetString, out fmspc) && fmspc.Length == 6,
                5 => content.TryRead(DerReader.Enumerated, out ReadOnlyMemory<byte> type) && DerReader.TryToInt32(type.Span, out sgxType),
                6 => content.TryRead(DerReader.OctetString, out _),
                _ => TryReadConfiguration(ref content, out dynamicPlatform, out cachedKeys, out smt),
            };
            if (!read || !content.IsEmpty) return Refuse($"item {arc} of its SGX extension is out of form");
        }
        const uint Needed = 0b11_1110;
        if ((seen & Needed) != Needed) return Refuse("its SGX extension lacks PPID, TCB, PCEID, FMSPC or type");
        return Outcome.Accept(new PckExtension
        {
            Ppid = ppid,
            TcbComponents = components,
            PceSvn = pceSvn,
            CpuSvn = cpuSvn,
            PceId = pceId,
            Fmspc = fmspc,
            SgxType = sgxType,
            DynamicPlatform = dynamicPlatform,
            CachedKeys = cachedKeys,
            Smt = smt,
        });
    }

    private static bool TryReadTcb(ref DerReader content, byte[] components, out int pceSvn, out ReadOnlyMemory<byte> cpuSvn)
    {
        (pceSvn, cpuSvn) = (0, default);
        if (!content.TryReadInto(DerReader.Sequence, out DerReader items)) return false;
        uint seen = 0;
        while (!items.IsEmpty)
        {
            if (!TryReadItem(ref items, Arc.Length + 1, out int arc, out DerReader value)) return false;
            if (arc is < 1 or > 18) continue;
            if ((seen & 1u << arc) != 0) return false;
            seen |= 1u << arc;
            if (arc == 18)
            {
                if (!value.TryRead(DerReader.OctetString, out cpuSvn) || cpuSvn.Length != Components || !value.IsEmpty) return false;
                continue;
            }
            if (!value.TryReadInt32(out int number) || !value.IsEmpty || number > (arc == 17 ? ushort.MaxValue : byte.MaxValue)) return false;
            if (arc == 17) pceSvn = number;
            else components[arc - 1] = (byte)number;
        }
        return seen == 0x7FFFE;
    }

    private static bool TryReadConfiguration(ref DerReader content, out bool? dynamicPlatform, out bool? cachedKeys, out bool? smt)
    {
        dynamicPlatform = cachedKeys = smt = null;
        if (!content.TryReadInto(DerReader.Sequence, out DerReader items)) return false;
        uint seen = 0;
        while (!items.IsEmpty)
        {
            if (!TryReadItem(ref items, Arc.Length + 1, out int arc, out DerReader value)) return false;
            if (arc is < 1 or > 3) continue;
            if ((seen & 1u << arc) != 0 || !value.TryReadBoolean(out bool set) || !value.IsEmpty) return false;
            seen |= 1u << arc;
            if (arc == 1) dynamicPlatform = set;
            else if (arc == 2) cachedKeys = set;
            else smt = set;
        }
        return true;
    }

    /// <summary>Reads an item whose identifier is one arc longer than <paramref name="parent"/>; any other gives arc 0.</summary>
    private static bool TryReadItem(ref DerReader items, int parent, out int arc, out DerReader value)
    {
        (arc, value) = (0, default);
        if (!items.TryReadInto(DerReader.Sequence, out DerReader item) || !item.TryRead(DerReader.ObjectIdentifier, out ReadOnlyMemory<byte> oid) || item.IsEmpty) return false;
        if (oid.Length == parent + 1 && oid.Span.StartsWith(Arc) && oid.Span[^1] < 0x80) arc = oid.Span[^1];
        value = item;
        return true;
    }

    private static Outcome<PckExtension> Refuse(string reason) => Outcome.Refuse<PckExtension>(Refusal.PckCertificateInvalid, "pckCertificate", reason);
}

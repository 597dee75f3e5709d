using System.Collections.Immutable;

namespace Cloister.Attestation.Tpm.EventLog;

/// <summary>What a replayed log says about a boot. It says only what follows from digests, or from data that hash to them.</summary>
/// <param name="SecureBoot">Whether the firmware enforced Secure Boot; null if the log does not prove either.</param>
/// <param name="Applications">Digests in PCR 4: the Authenticode digests of loaders and kernels, and any digest there that is neither an action nor a separator.</param>
/// <param name="Authorities">Digests of what allowed an image to start under Secure Boot (PCR 7 behind its separator).</param>
/// <param name="StubSections">The sections that systemd-stub measured into PCR 11: name and content digest, in order.</param>
/// <param name="CommandLines">The kernel command lines that GRUB passed on, in order.</param>
/// <param name="LoadOptions">The digest of the load options that the kernel's EFI stub measured into PCR 9; empty if it did not.</param>
/// <param name="Initrd">The digest of the initrd that the kernel's EFI stub measured into PCR 9; empty if it did not.</param>
public sealed record BootState(
    bool? SecureBoot,
    ImmutableArray<string> Applications,
    ImmutableArray<string> Authorities,
    ImmutableArray<StubSection> StubSections,
    ImmutableArray<string> CommandLines,
    string LoadOptions,
    string Initrd)
{
    /// <summary>Most entries of one list; then comes <see cref="More"/>, which no policy accepts.</summary>
    public const int MaximumEntries = 64;

    /// <summary>Stands at the end of a list that is cut.</summary>
    public const string More = "more";

    private const int ApplicationPcr = 4, SecureBootPcr = 7, KernelPcr = 9, StubPcr = 11;

    // Tag identifiers of the Linux EFI stub (drivers/firmware/efi/libstub: efistub.h).
    private const uint InitrdTag = 0x8F3B22EC, LoadOptionsTag = 0x8F3B22ED;

    // EFI_GLOBAL_VARIABLE, 8be4df61-93ca-11d2-aa0d-00e098032b8c.
    private static ReadOnlySpan<byte> GlobalVariable => [0x61, 0xDF, 0xE4, 0x8B, 0xCA, 0x93, 0xD2, 0x11, 0xAA, 0x0D, 0x00, 0xE0, 0x98, 0x03, 0x2B, 0x8C];

    private static ReadOnlySpan<byte> SecureBootName => [(byte)'S', 0, (byte)'e', 0, (byte)'c', 0, (byte)'u', 0, (byte)'r', 0, (byte)'e', 0, (byte)'B', 0, (byte)'o', 0, (byte)'o', 0, (byte)'t', 0];

    /// <summary>Reads what a log says.</summary>
    /// <param name="log">A log whose replay in <paramref name="bank"/> gave the quoted values, and whose data were checked.</param>
    /// <param name="bank">The quoted bank.</param>
    public static BootState Read(TcgEventLog log, TpmAlgorithm bank)
    {
        var applications = ImmutableArray.CreateBuilder<string>();
        var authorities = ImmutableArray.CreateBuilder<string>();
        var commandLines = ImmutableArray.CreateBuilder<string>();
        string loadOptions = "", initrd = "";
        int separators = 0, states = 0;
        bool? secureBoot = null;
        foreach (ref readonly TcgEvent one in log.Events)
        {
            if (one.Type == TcgEventType.NoAction) continue;
            switch (one.Pcr)
            {
                case ApplicationPcr when one.Type is not (TcgEventType.EfiAction or TcgEventType.Separator):
                    AddDigest(applications, log.DigestOf(one, bank));
                    break;
                case SecureBootPcr when one.Type == TcgEventType.Separator:
                    separators++;
                    break;
                case SecureBootPcr when separators == 0 && SecureBootOf(log, one, bank) is { } state:
                    // The firmware measures it first. One that comes later, or twice, is somebody else's.
                    states++;
                    secureBoot = state;
                    break;
                case SecureBootPcr when separators > 0 && one.Type == TcgEventType.EfiVariableAuthority:
                    AddDigest(authorities, log.DigestOf(one, bank));
                    break;
                case KernelPcr when one.Type == TcgEventType.EventTag && log.DataOf(one) is { Length: >= 8 } tagged:
                    uint tag = System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(tagged);
                    if (tag == LoadOptionsTag) loadOptions = Hex(log.DigestOf(one, bank));
                    else if (tag == InitrdTag) initrd = Hex(log.DigestOf(one, bank));
                    break;
                default:
                    if (commandLines.Count <= MaximumEntries && EventLogData.GrubKernelCommandLine(log, one, bank) is { } line) AddSome(commandLines, line);
                    break;
            }
        }
        return new BootState(states == 1 && separators == 1 ? secureBoot : null, applications.ToImmutable(), authorities.ToImmutable(), ReadSections(log, bank), commandLines.ToImmutable(), loadOptions, initrd);
    }

    private static bool? SecureBootOf(TcgEventLog log, in TcgEvent one, TpmAlgorithm bank)
    {
        ReadOnlySpan<byte> data = log.DataOf(one);
        return one.Type == TcgEventType.EfiVariableDriverConfig
            && EventLogData.TryVariable(data, out ReadOnlySpan<byte> vendor, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
            && vendor.SequenceEqual(GlobalVariable) && name.SequenceEqual(SecureBootName)
            && TpmHash.Matches(bank, data, log.DigestOf(one, bank))
            ? value is [1]
            : null;
    }

    /// <summary>
    /// Pairs in PCR 11: the digest of a section's name with its NUL, then the digest of its content. The names are proven by their
    /// digests. The stub measures each section once, before anybody else: what follows a repetition or an unknown name is not its.
    /// </summary>
    private static ImmutableArray<StubSection> ReadSections(TcgEventLog log, TpmAlgorithm bank)
    {
        var sections = ImmutableArray.CreateBuilder<StubSection>();
        var known = KnownDigests.Of(bank);
        string? pending = null;
        foreach (ref readonly TcgEvent one in log.Events)
        {
            if (one.Pcr != StubPcr || one.Type == TcgEventType.NoAction) continue;
            ReadOnlySpan<byte> measured = log.DigestOf(one, bank);
            if (pending is not null)
            {
                sections.Add(new StubSection(pending, Hex(measured)));
                pending = null;
                continue;
            }
            pending = known.SectionNamed(measured);
            if (pending is null || sections.Any(section => section.Name == pending)) break;
        }
        return sections.ToImmutable();
    }

    private static void AddDigest(ImmutableArray<string>.Builder list, ReadOnlySpan<byte> digest)
    {
        if (list.Count <= MaximumEntries) AddSome(list, Hex(digest));
    }

    private static void AddSome(ImmutableArray<string>.Builder list, string value)
    {
        if (list.Count < MaximumEntries) list.Add(value);
        else if (list.Count == MaximumEntries) list.Add(More);
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}

/// <summary>A section of a unified kernel image, as systemd-stub measured it.</summary>
/// <param name="Name">Its name, such as <c>.cmdline</c>.</param>
/// <param name="Digest">The digest of its content, lower-case hexadecimal.</param>
public sealed record StubSection(string Name, string Digest);

using System.Buffers.Binary;
using System.Text;

namespace Cloister.Attestation.Tpm.EventLog;

/// <summary>
/// What ties an event's data to its digest, by type (Firmware Profile, 10.4; and how EDK2, shim, GRUB, systemd and Linux do it).
/// Only digests are measured: data that no rule ties are the log writer's word, and nobody here reads them.
/// </summary>
public static class EventLogData
{
    private const int VariableHead = 16 + 8 + 8, LastFirmwarePcr = 7, SecureBootPcr = 7, GrubPcr = 8, MaximumText = 4096;

    private static ReadOnlySpan<byte> GrubCommand => "grub_cmd: "u8;

    private static ReadOnlySpan<byte> KernelCommandLine => "kernel_cmdline: "u8;

    private static ReadOnlySpan<byte> ModuleCommandLine => "module_cmdline: "u8;

    /// <summary>The first event whose type ties its data to its digest where they are not tied; null if there is none.</summary>
    /// <param name="log">A log whose replay in <paramref name="bank"/> gave the quoted values.</param>
    /// <param name="bank">The bank that was quoted: another bank's digests prove nothing.</param>
    public static EventLogProblem? FirstProblem(TcgEventLog log, TpmAlgorithm bank)
    {
        var known = KnownDigests.Of(bank);
        ReadOnlySpan<TcgEvent> events = log.Events;
        for (int i = 0; i < events.Length; i++)
        {
            ref readonly TcgEvent one = ref events[i];
            if (one.Type == TcgEventType.NoAction) continue;
            ReadOnlySpan<byte> digest = log.DigestOf(one, bank);
            // Whoever relabels a separator moves the border between what the firmware did and what came later.
            bool separates = known.IsSeparator(digest);
            if (one.Pcr == SecureBootPcr && separates && one.Type != TcgEventType.Separator) return new EventLogProblem(i, one.Pcr, one.Type, "its digest is a separator's and its type is not");
            if (one.Pcr <= LastFirmwarePcr && !separates && one.Type == TcgEventType.Separator) return new EventLogProblem(i, one.Pcr, one.Type, "not a separator's digest: the firmware reports an error, or the log was changed");
            if (MustMatch(one, log.DataOf(one)) && !Matches(one, log.DataOf(one), digest, bank))
                return new EventLogProblem(i, one.Pcr, one.Type, "its data do not hash to its digest");
        }
        return null;
    }

    /// <summary>The text behind GRUB's prefix for the kernel's command line, if this event is one and its data hash to its digest.</summary>
    internal static string? GrubKernelCommandLine(TcgEventLog log, in TcgEvent one, TpmAlgorithm bank)
    {
        ReadOnlySpan<byte> data = log.DataOf(one);
        return one.Type == TcgEventType.Ipl && one.Pcr == GrubPcr && data.StartsWith(KernelCommandLine) && Matches(one, data, log.DigestOf(one, bank), bank)
            ? TextOf(BehindPrefix(data))
            : null;
    }

    /// <summary>Reads UEFI_VARIABLE_DATA (Firmware Profile, 10.4.2) with nothing behind it.</summary>
    internal static bool TryVariable(ReadOnlySpan<byte> data, out ReadOnlySpan<byte> vendor, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        vendor = name = value = default;
        if (data.Length < VariableHead) return false;
        ulong characters = BinaryPrimitives.ReadUInt64LittleEndian(data[16..]), size = BinaryPrimitives.ReadUInt64LittleEndian(data[24..]);
        int room = data.Length - VariableHead;
        if (characters > (ulong)room / 2 || size != (ulong)room - 2 * characters) return false;
        vendor = data[..16];
        name = data.Slice(VariableHead, 2 * (int)characters);
        value = data[(VariableHead + 2 * (int)characters)..];
        return true;
    }

    private static bool MustMatch(in TcgEvent one, ReadOnlySpan<byte> data) => one.Type switch
    {
        TcgEventType.Separator or TcgEventType.EfiAction or TcgEventType.EfiGptEvent => true,
        TcgEventType.EfiVariableDriverConfig or TcgEventType.EfiVariableBoot or TcgEventType.EfiVariableBoot2 or TcgEventType.EfiVariableAuthority => true,
        TcgEventType.Ipl => one.Pcr == GrubPcr && IsGrub(data),
        _ => false,
    };

    private static bool Matches(in TcgEvent one, ReadOnlySpan<byte> data, ReadOnlySpan<byte> digest, TpmAlgorithm bank)
    {
        if (one.Type == TcgEventType.Ipl) return TpmHash.Matches(bank, BehindPrefix(data), digest);
        if (TpmHash.Matches(bank, data, digest)) return true;
        return one.Type switch
        {
            // EDK2 measured the value alone for years; its name is then nobody's word but the log's.
            TcgEventType.EfiVariableBoot or TcgEventType.EfiVariableBoot2 => TryVariable(data, out _, out _, out ReadOnlySpan<byte> value) && TpmHash.Matches(bank, value, digest),
            // shim logged one byte more than it measured.
            TcgEventType.EfiVariableAuthority => data.Length > 0 && TpmHash.Matches(bank, data[..^1], digest),
            _ => false,
        };
    }

    private static bool IsGrub(ReadOnlySpan<byte> data) => data.StartsWith(GrubCommand) || data.StartsWith(KernelCommandLine) || data.StartsWith(ModuleCommandLine);

    private static ReadOnlySpan<byte> BehindPrefix(ReadOnlySpan<byte> data)
    {
        int prefix = data.StartsWith(GrubCommand) ? GrubCommand.Length : data.StartsWith(KernelCommandLine) ? KernelCommandLine.Length : data.StartsWith(ModuleCommandLine) ? ModuleCommandLine.Length : 0;
        ReadOnlySpan<byte> text = data[prefix..];
        return text.Length > 0 && text[^1] == 0 ? text[..^1] : text;
    }

    private static string? TextOf(ReadOnlySpan<byte> text) => text.Length <= MaximumText && !text.Contains((byte)0) && System.Text.Unicode.Utf8.IsValid(text) ? Encoding.UTF8.GetString(text) : null;
}

/// <summary>An event that is not what its type says.</summary>
/// <param name="Index">Its place among the events.</param>
/// <param name="Pcr">Its PCR.</param>
/// <param name="Type">Its type.</param>
/// <param name="Reason">What is wrong.</param>
public sealed record EventLogProblem(int Index, int Pcr, TcgEventType Type, string Reason);

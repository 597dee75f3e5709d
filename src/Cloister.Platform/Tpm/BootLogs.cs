using Cloister.Attestation;

namespace Cloister.Platform.Tpm;

/// <summary>Where the kernel keeps the logs that explain PCRs. Null: there is none to read.</summary>
/// <param name="EventLog">The firmware's log, <c>binary_bios_measurements</c>.</param>
/// <param name="ImaList">Linux's integrity measurement list, <c>binary_runtime_measurements</c>.</param>
public sealed record BootLogs(string? EventLog, string? ImaList)
{
    private const string Security = "/sys/kernel/security";

    /// <summary>No logs: those of the machine are not of a TPM that is reached by socket.</summary>
    public static BootLogs None { get; } = new(null, null);

    internal static BootLogs Of(TpmAddress address) => address.Number is { } number
        ? new BootLogs($"{Security}/tpm{number}/binary_bios_measurements", $"{Security}/ima/binary_runtime_measurements")
        : None;

    /// <summary>The firmware's log; empty if there is none. One that is there and cannot be read is an error: a verifier would only see that the boot is unexplained.</summary>
    internal async Task<byte[]> ReadEventLogAsync(CancellationToken cancellation)
    {
        if (EventLog is null || !File.Exists(EventLog)) return [];
        try
        {
            return await ReadAsync(EventLog, EvidenceCodec.MaximumEventLog, cancellation)
                ?? throw new PlatformException(PlatformError.EventLogUnreadable, $"{EventLog} has more than {EvidenceCodec.MaximumEventLog} bytes, which evidence does not hold.");
        }
        catch (Exception closed) when (closed is UnauthorizedAccessException or IOException)
        {
            throw new PlatformException(PlatformError.EventLogUnreadable, $"{EventLog} cannot be read ({closed.Message.TrimEnd('.')}). Make it readable to this user, or run as root.", closed);
        }
    }

    /// <summary>Linux's list; null if there is none, if it may not be read, or if it is larger than evidence holds: PCR 10 then stays unexplained, which policies can ask about.</summary>
    internal async Task<byte[]?> ReadImaListAsync(CancellationToken cancellation)
    {
        if (ImaList is null || !File.Exists(ImaList)) return null;
        try
        {
            return await ReadAsync(ImaList, EvidenceCodec.MaximumEndorsement, cancellation) is { Length: > 0 } list ? list : null;
        }
        catch (Exception closed) when (closed is UnauthorizedAccessException or IOException)
        {
            return null;
        }
    }

    // The kernel says 0 bytes for these files, so they are read to their end.
    private static async Task<byte[]?> ReadAsync(string path, int atMost, CancellationToken cancellation)
    {
        const int chunk = 64 << 10;
        await using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite, BufferSize = 0 });
        using var content = new MemoryStream();
        byte[] buffer = new byte[chunk];
        for (int read; (read = await file.ReadAsync(buffer, cancellation)) > 0;)
        {
            if (content.Length + read > atMost) return null;
            content.Write(buffer, 0, read);
        }
        return content.ToArray();
    }
}

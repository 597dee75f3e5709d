using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Cloister.Attestation.Simulation;

namespace Cloister.Platform.Simulation;

/// <summary>
/// One question and one answer over the simulator's socket (docs/formats/simulated-report.md, "Asking"). Little-endian; a frame is a
/// 4-byte length and at most <see cref="MaximumFrame"/> bytes.
/// </summary>
internal static class SimulatorWire
{
    public const int MaximumFrame = 8 << 10;

    private const ushort Version = 1, Granted = 0, Refused = 1;
    private const int HeaderSize = 2 * sizeof(ushort);

    public static byte[] Question(ReadOnlySpan<byte> reportData) => Frame(Version, 0, reportData);

    public static byte[] Grant(ReadOnlySpan<byte> report) => Frame(Version, Granted, report);

    public static byte[] Refuse(string reason)
    {
        byte[] text = Encoding.UTF8.GetBytes(reason);
        return Frame(Version, Refused, text.AsSpan(0, Math.Min(text.Length, MaximumFrame - HeaderSize)));
    }

    /// <summary>The report data asked for, or null if this is not a question.</summary>
    public static byte[]? ReadQuestion(ReadOnlySpan<byte> body) =>
        body.Length == HeaderSize + SimulationReport.ReportDataSize && VersionOf(body) == Version && StatusOf(body) == 0 ? body[HeaderSize..].ToArray() : null;

    /// <summary>The report, or why there is none.</summary>
    /// <exception cref="PlatformException">Refused, or not an answer.</exception>
    public static byte[] ReadAnswer(ReadOnlySpan<byte> body)
    {
        if (body.Length < HeaderSize || VersionOf(body) != Version) throw new PlatformException(PlatformError.SimulatorAnswerInvalid, "What listens on the simulator's socket does not speak this version of its protocol.");
        return StatusOf(body) switch
        {
            Granted => body[HeaderSize..].ToArray(),
            Refused => throw new PlatformException(PlatformError.SimulatorRefused, $"The simulator refused: {Encoding.UTF8.GetString(body[HeaderSize..])}"),
            ushort other => throw new PlatformException(PlatformError.SimulatorAnswerInvalid, $"The simulator answered with the unknown status {other}."),
        };
    }

    /// <summary>Reads one frame; null if the peer closed before one, or sent a length over the limit.</summary>
    public static async ValueTask<byte[]?> ReadFrameAsync(Socket socket, CancellationToken cancellation)
    {
        byte[] prefix = new byte[sizeof(uint)];
        if (!await FillAsync(socket, prefix, cancellation)) return null;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(prefix);
        if (length > MaximumFrame) return null;
        byte[] body = new byte[length];
        return await FillAsync(socket, body, cancellation) ? body : null;
    }

    public static async ValueTask WriteAsync(Socket socket, ReadOnlyMemory<byte> frame, CancellationToken cancellation)
    {
        while (!frame.IsEmpty)
            frame = frame[await socket.SendAsync(frame, SocketFlags.None, cancellation)..];
    }

    /// <summary>Fuzz target: any body gives a question, an answer or the documented refusal.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> body)
    {
        if (ReadQuestion(body) is { } reportData && !Question(reportData).AsSpan(sizeof(uint)).SequenceEqual(body))
            throw new InvalidOperationException("Two forms of one question.");
        try
        {
            ReadAnswer(body);
        }
        catch (PlatformException refused) when (refused.Error is PlatformError.SimulatorRefused or PlatformError.SimulatorAnswerInvalid)
        {
            return;
        }
    }

    private static async ValueTask<bool> FillAsync(Socket socket, Memory<byte> buffer, CancellationToken cancellation)
    {
        while (!buffer.IsEmpty)
        {
            int read = await socket.ReceiveAsync(buffer, SocketFlags.None, cancellation);
            if (read == 0) return false;
            buffer = buffer[read..];
        }
        return true;
    }

    private static byte[] Frame(ushort version, ushort status, ReadOnlySpan<byte> content)
    {
        byte[] frame = new byte[sizeof(uint) + HeaderSize + content.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(frame, (uint)(HeaderSize + content.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(4), version);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(6), status);
        content.CopyTo(frame.AsSpan(8));
        return frame;
    }

    private static ushort VersionOf(ReadOnlySpan<byte> body) => BinaryPrimitives.ReadUInt16LittleEndian(body);

    private static ushort StatusOf(ReadOnlySpan<byte> body) => BinaryPrimitives.ReadUInt16LittleEndian(body[2..]);
}

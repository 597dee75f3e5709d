using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Attestation.Tpm;

namespace Cloister.Platform.Tpm;

/// <summary>
/// Reads one answer (TPM 2.0 Library part 1, 18). A TPM is hostile here: whoever runs it says what it likes, so every length is checked,
/// and what does not fit is <see cref="PlatformError.TpmAnswerInvalid"/>. Zeroed at the end, since it may hold secrets.
/// </summary>
internal sealed class TpmAnswer : IDisposable
{
    public const int HeaderSize = 10;

    private const ushort WithoutSessions = 0x8001, WithSessions = 0x8002, OldRequestTag = 0x00C4;

    private readonly byte[] _bytes;
    private int _at, _end;

    private TpmAnswer(byte[] bytes, int at, int end) => (_bytes, _at, _end) = (bytes, at, end);

    /// <summary>An answer's code, whatever follows.</summary>
    public static uint CodeOf(ReadOnlySpan<byte> answer)
    {
        if (answer.Length is < HeaderSize or > TpmCommand.MaximumSize) throw Invalid($"it has {answer.Length} bytes");
        if (BinaryPrimitives.ReadUInt32BigEndian(answer[2..]) != answer.Length) throw Invalid("its size is not the stated one");
        ushort tag = BinaryPrimitives.ReadUInt16BigEndian(answer);
        uint code = BinaryPrimitives.ReadUInt32BigEndian(answer[6..]);
        // TPM_RC_BAD_TAG comes under the tag of TPM 1.2, so that a TPM 1.2 is recognised.
        if (tag is not (WithoutSessions or WithSessions) && !(tag == OldRequestTag && code != 0)) throw Invalid($"tag {tag:x4}");
        if (code != 0 && (answer.Length != HeaderSize || tag == WithSessions)) throw Invalid("it refuses and goes on");
        return code;
    }

    /// <summary>Opens the answer of a command that succeeded. It takes the bytes over.</summary>
    /// <param name="bytes">The answer.</param>
    /// <param name="sessions">How many authorisations the command had.</param>
    /// <param name="hasHandle">Whether a handle comes first.</param>
    /// <param name="handle">That handle, or 0.</param>
    public static TpmAnswer Open(byte[] bytes, int sessions, bool hasHandle, out uint handle)
    {
        if (CodeOf(bytes) != 0) throw new ArgumentException("The TPM refused.", nameof(bytes));
        if (BinaryPrimitives.ReadUInt16BigEndian(bytes) != (sessions > 0 ? WithSessions : WithoutSessions)) throw Invalid("its tag is not the command's");
        var answer = new TpmAnswer(bytes, HeaderSize, bytes.Length);
        handle = hasHandle ? answer.UInt32() : 0;
        if (sessions == 0) return answer;
        uint size = answer.UInt32();
        if (size > bytes.Length - answer._at) throw Invalid("its parameters are longer than it is");
        int parameters = answer._at;
        answer._at += (int)size;
        for (int i = 0; i < sessions; i++)
        {
            answer.Sized();
            answer.Byte();
            answer.Sized();
        }
        answer.End();
        (answer._at, answer._end) = (parameters, parameters + (int)size);
        return answer;
    }

    public byte Byte() => Take(sizeof(byte))[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(sizeof(ushort)));

    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(sizeof(uint)));

    /// <summary>A TPM2B's content.</summary>
    public ReadOnlySpan<byte> Sized() => Take(UInt16());

    /// <summary>Everything that is left.</summary>
    public ReadOnlySpan<byte> Rest() => Take(_end - _at);

    /// <summary>TPML_PCR_SELECTION with at most one bank, of PCRs below 24; an empty one has no PCR.</summary>
    public TpmPcrSelection Selection()
    {
        uint count = UInt32();
        if (count == 0) return default;
        if (count != 1) throw Invalid("PCRs of several banks where one was asked for");
        var bank = (TpmAlgorithm)UInt16();
        byte size = Byte();
        if (size > sizeof(uint)) throw Invalid("a PCR selection of more than 32 PCRs");
        ReadOnlySpan<byte> bits = Take(size);
        uint mask = 0;
        for (int i = 0; i < bits.Length; i++)
            mask |= (uint)bits[i] << (8 * i);
        return mask >> TpmLayout.PcrCount == 0 ? new TpmPcrSelection(bank, mask) : throw Invalid("a PCR above 23");
    }

    /// <summary>Checks that nothing is left.</summary>
    public void End()
    {
        if (_at != _end) throw Invalid($"{_end - _at} bytes follow its end");
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);

    /// <summary>Fuzz target: any bytes are read with any fields, or refused as no answer.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (CodeOf(bytes) != 0) return;
            bool sessions = BinaryPrimitives.ReadUInt16BigEndian(bytes) == WithSessions;
            using TpmAnswer handle = Open(bytes.ToArray(), sessions ? 1 : 0, hasHandle: true, out _), fields = Open(bytes.ToArray(), sessions ? 1 : 0, hasHandle: false, out _);
            _ = handle.Sized();
            handle.End();
            _ = fields.UInt32();
            _ = fields.Selection();
            _ = fields.UInt32();
            _ = fields.Sized();
            fields.End();
        }
        catch (PlatformException refused) when (refused.Error == PlatformError.TpmAnswerInvalid)
        {
            return;
        }
    }

    internal static PlatformException Invalid(string reason) =>
        new(PlatformError.TpmAnswerInvalid, $"The TPM's answer cannot be read: {reason}. What answers there is no TPM 2.0, or it is broken.");

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _end - _at) throw Invalid("it ends before a field does");
        _at += count;
        return _bytes.AsSpan(_at - count, count);
    }
}

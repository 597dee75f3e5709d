using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Attestation.Tpm;

namespace Cloister.Platform.Tpm;

/// <summary>Writes one command (TPM 2.0 Library part 1, 18): handles, then authorisations, then parameters, big-endian. Zeroed at the end, since it may hold secrets.</summary>
internal sealed class TpmCommand : IDisposable
{
    /// <summary>Most bytes of a command or an answer.</summary>
    public const int MaximumSize = 4096;

    private const int HeaderSize = 10;
    private const ushort WithoutSessions = 0x8001, WithSessions = 0x8002;
    private const byte ContinueSession = 1;

    private readonly byte[] _bytes = GC.AllocateArray<byte>(MaximumSize, pinned: true);
    private int _length = HeaderSize;

    public TpmCommand(uint code)
    {
        Code = code;
        BinaryPrimitives.WriteUInt32BigEndian(_bytes.AsSpan(6), code);
    }

    /// <summary>The command's number (TPM_CC).</summary>
    public uint Code { get; }

    /// <summary>How many authorisations it has.</summary>
    public int Sessions { get; private set; }

    /// <summary>Adds the authorisations, in the order of the handles that need one.</summary>
    public TpmCommand Authorise(params ReadOnlySpan<TpmAuthorisation> authorisations)
    {
        int at = _length;
        UInt32(0);
        foreach (TpmAuthorisation one in authorisations)
            UInt32(one.Session).Sized([]).Byte(ContinueSession).Sized(one.Value.Span);
        BinaryPrimitives.WriteInt32BigEndian(_bytes.AsSpan(at), _length - at - sizeof(uint));
        Sessions = authorisations.Length;
        return this;
    }

    public TpmCommand Byte(byte value)
    {
        Take(sizeof(byte))[0] = value;
        return this;
    }

    public TpmCommand UInt16(int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(Take(sizeof(ushort)), checked((ushort)value));
        return this;
    }

    public TpmCommand UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Take(sizeof(uint)), value);
        return this;
    }

    public TpmCommand Algorithm(TpmAlgorithm algorithm) => UInt16((ushort)algorithm);

    public TpmCommand Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Take(bytes.Length));
        return this;
    }

    /// <summary>A TPM2B: a 2-byte size, then the bytes.</summary>
    public TpmCommand Sized(ReadOnlySpan<byte> bytes) => UInt16(bytes.Length).Raw(bytes);

    /// <summary>TPML_PCR_SELECTION with one bank.</summary>
    public TpmCommand Selection(TpmPcrSelection selection) => Raw(TpmPcrPolicy.Marshal(selection));

    /// <summary>The finished command.</summary>
    public ReadOnlyMemory<byte> Finish()
    {
        BinaryPrimitives.WriteUInt16BigEndian(_bytes, Sessions > 0 ? WithSessions : WithoutSessions);
        BinaryPrimitives.WriteInt32BigEndian(_bytes.AsSpan(2), _length);
        return _bytes.AsMemory(0, _length);
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);

    private Span<byte> Take(int count)
    {
        if (count > MaximumSize - _length) throw new ArgumentException($"A TPM command has at most {MaximumSize} bytes.");
        _length += count;
        return _bytes.AsSpan(_length - count, count);
    }
}

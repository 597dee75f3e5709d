using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;

namespace Cloister.Tests.Tpm;

/// <summary>Writes big-endian TPM structures.</summary>
internal sealed class TpmWriter
{
    private readonly List<byte> _bytes = [];

    public TpmWriter U8(byte value) => Raw([value]);

    public TpmWriter U16(int value)
    {
        Span<byte> field = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(field, (ushort)value);
        return Raw(field);
    }

    public TpmWriter U32(uint value)
    {
        Span<byte> field = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(field, value);
        return Raw(field);
    }

    public TpmWriter U64(ulong value)
    {
        Span<byte> field = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(field, value);
        return Raw(field);
    }

    public TpmWriter Sized(ReadOnlySpan<byte> value) => U16(value.Length).Raw(value);

    public TpmWriter Raw(ReadOnlySpan<byte> value)
    {
        _bytes.AddRange(value);
        return this;
    }

    public byte[] ToArray() => [.. _bytes];
}

/// <summary>A TPM in software that really signs; every part of what it states can be set otherwise.</summary>
internal sealed class FakeTpm
{
    public const uint AkAttributes = 0x00050472;

    // RSA keys take seconds to make; which one it is matters to no test.
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<int, RSA> RsaKeys = new();

    public FakeTpm(TpmAlgorithm scheme = TpmAlgorithm.EcDsa, TpmAlgorithm hash = TpmAlgorithm.Sha256, ECCurve? curve = null, int bits = 2048)
    {
        (Scheme, Hash) = (scheme, hash);
        if (scheme == TpmAlgorithm.EcDsa) Ec = ECDsa.Create(curve ?? ECCurve.NamedCurves.nistP256);
        else Rsa = RsaKeys.GetOrAdd(bits, RSA.Create);
        for (int pcr = 0; pcr < 24; pcr++)
            Pcrs[pcr] = pcr is >= 17 and <= 22 ? [.. Enumerable.Repeat((byte)0xFF, TpmHash.SizeOf(Bank))] : new byte[TpmHash.SizeOf(Bank)];
    }

    public TpmAlgorithm Scheme { get; set; }
    public TpmAlgorithm Hash { get; set; }
    public ECDsa? Ec { get; }
    public RSA? Rsa { get; }
    public uint Attributes { get; set; } = AkAttributes;
    public TpmAlgorithm Bank { get; } = TpmAlgorithm.Sha256;
    public Dictionary<int, byte[]> Pcrs { get; } = [];
    public uint Magic { get; set; } = TpmAttest.Generated;
    public int Type { get; set; } = TpmAttest.Quote;
    public ulong Clock { get; set; } = 5000;
    public uint Resets { get; set; } = 3;
    public uint Restarts { get; set; } = 1;
    public byte Safe { get; set; } = 1;
    public ulong Firmware { get; set; } = 0x20240125;
    public ImmutableArray<(TpmAlgorithm Bank, uint Mask)> Selection { get; set; } = [(TpmAlgorithm.Sha256, 0xFFFFFF)];
    public byte[]? PcrDigest { get; set; }
    public byte[] Trailing { get; set; } = [];

    public byte[] Public()
    {
        TpmWriter writer = new TpmWriter().U16(Ec is null ? 1 : 0x23).U16(0xB).U32(Attributes).Sized([]).U16(0x10).U16((int)Scheme);
        if (Scheme != TpmAlgorithm.Null) writer.U16((int)Hash);
        if (Rsa is not null) return writer.U16(Rsa.KeySize).U32(0).Sized(Rsa.ExportParameters(false).Modulus).ToArray();
        ECParameters key = Ec!.ExportParameters(false);
        return writer.U16(Ec.KeySize switch { 256 => 3, 384 => 4, _ => 5 }).U16(0x10).Sized(key.Q.X).Sized(key.Q.Y).ToArray();
    }

    public byte[] Attest(ReadOnlySpan<byte> nonce)
    {
        TpmWriter writer = new TpmWriter().U32(Magic).U16(Type).Sized([0, 0xB, .. SHA256.HashData("signer"u8)]).Sized(nonce)
            .U64(Clock).U32(Resets).U32(Restarts).U8(Safe).U64(Firmware).U32((uint)Selection.Length);
        using var joined = new MemoryStream();
        foreach ((TpmAlgorithm bank, uint mask) in Selection)
        {
            writer.U16((int)bank).U8(3).Raw([(byte)mask, (byte)(mask >> 8), (byte)(mask >> 16)]);
            for (int pcr = 0; pcr < 24; pcr++)
                if ((mask >> pcr & 1) != 0) joined.Write(Pcrs[pcr].AsSpan(0, TpmHash.SizeOf(bank)));
        }
        return writer.Sized(PcrDigest ?? TpmHash.Hash(Hash, joined.ToArray())).Raw(Trailing).ToArray();
    }

    public byte[] Sign(byte[] statement)
    {
        HashAlgorithmName hash = TpmHash.PlatformName(Hash);
        TpmWriter writer = new TpmWriter().U16((int)Scheme).U16((int)Hash);
        if (Rsa is not null) return writer.Sized(Rsa.SignData(statement, hash, Scheme == TpmAlgorithm.RsaPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1)).ToArray();
        byte[] signature = Ec!.SignData(statement, hash);
        return writer.Sized(signature.AsSpan(0, signature.Length / 2)).Sized(signature.AsSpan(signature.Length / 2)).ToArray();
    }

    public TpmReport Report(ReadOnlySpan<byte> nonce)
    {
        byte[] attest = Attest(nonce);
        ImmutableArray<TpmPcrValue> pcrs = [.. Selection.SelectMany(bank => Pcrs.Where(pcr => (bank.Mask >> pcr.Key & 1) != 0).Select(pcr => new TpmPcrValue(bank.Bank, pcr.Key, pcr.Value.AsMemory(0, TpmHash.SizeOf(bank.Bank)))))];
        return new TpmReport(attest, Sign(attest), TpmKeyForm.TpmPublic, Public(), pcrs);
    }

    public Evidence Quote(ReadOnlySpan<byte> nonce, byte[]? log = null, params ImmutableArray<Endorsement> endorsements) =>
        new(TeeKind.Tpm, Report(nonce).Encode(), log ?? [], default, endorsements);

    /// <summary>Extends all PCRs with the events of a log, and returns it encoded.</summary>
    public byte[] Boot(LogWriter log)
    {
        foreach ((int pcr, uint type, byte[] digest) in log.Measured)
            if (type != 3) TpmHash.Extend(Bank, Pcrs[pcr], digest);
        return log.ToArray();
    }
}

/// <summary>Writes a crypto-agile event log with SHA-256 alone.</summary>
internal sealed class LogWriter
{
    public const uint Separator = 4, EventTag = 6, Ipl = 0xD, DriverConfig = 0x80000001, VariableBoot = 0x80000002, Application = 0x80000003, Gpt = 0x80000006, EfiAction = 0x80000007, Authority = 0x800000E0;

    public static readonly byte[] Global = Convert.FromHexString("61DFE48BCA93D211AA0D00E098032B8C");

    private readonly List<(int Pcr, uint Type, byte[] Digest, byte[] Data)> _events = [];

    public IEnumerable<(int Pcr, uint Type, byte[] Digest)> Measured => _events.Select(one => (one.Pcr, one.Type, one.Digest));

    public LogWriter Add(int pcr, uint type, byte[] digest, byte[] data)
    {
        _events.Add((pcr, type, digest, data));
        return this;
    }

    public LogWriter Text(int pcr, uint type, string text) => Add(pcr, type, SHA256.HashData(Encoding.UTF8.GetBytes(text)), Encoding.UTF8.GetBytes(text));

    public LogWriter Hashed(int pcr, uint type, byte[] data) => Add(pcr, type, SHA256.HashData(data), data);

    public LogWriter Separators()
    {
        for (int pcr = 0; pcr < 8; pcr++)
            Hashed(pcr, Separator, [0, 0, 0, 0]);
        return this;
    }

    public LogWriter Section(string name, string content) =>
        Add(11, Ipl, SHA256.HashData(Encoding.ASCII.GetBytes(name + '\0')), Encoding.Unicode.GetBytes(name + '\0'))
        .Add(11, Ipl, SHA256.HashData(Encoding.ASCII.GetBytes(content)), Encoding.Unicode.GetBytes(name + '\0'));

    public static byte[] Variable(byte[] vendor, string name, byte[] value)
    {
        var head = new byte[32];
        vendor.CopyTo(head, 0);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(16), (ulong)name.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(24), (ulong)value.Length);
        return [.. head, .. Encoding.Unicode.GetBytes(name), .. value];
    }

    public byte[] ToArray()
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        byte[] header = [.. "Spec ID Event03\0"u8, 0, 0, 0, 0, 0, 2, 0, 2, 1, 0, 0, 0, 0xB, 0, 32, 0, 0];
        writer.Write(0);
        writer.Write(3);
        writer.Write(new byte[20]);
        writer.Write(header.Length);
        writer.Write(header);
        foreach ((int pcr, uint type, byte[] digest, byte[] data) in _events)
        {
            writer.Write(pcr);
            writer.Write(type);
            writer.Write(1);
            writer.Write((ushort)0xB);
            writer.Write(digest);
            writer.Write(data.Length);
            writer.Write(data);
        }
        writer.Flush();
        return bytes.ToArray();
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire;

/// <summary>An answer as bytes (docs/formats/he-ciphertext.md): compact ciphertexts, or whole ones.</summary>
public static class AnswerFormat
{
    private const byte IsWhole = 1;
    private const int HeadSize = Envelope.DigestSize + (2 * sizeof(uint)), CompactHeadSize = 4 * sizeof(uint);

    private static ReadOnlySpan<byte> Magic => "CLHEANSW"u8;

    /// <summary>Writes an answer.</summary>
    /// <param name="answer">What a <see cref="CompiledModel"/> computed.</param>
    /// <param name="parameters">The model's.</param>
    /// <param name="specification">The model's.</param>
    public static byte[] Write(EncryptedAnswer answer, RlweParameters parameters, ClientSpecification specification)
    {
        bool whole = answer.Form == AnswerForm.Whole;
        int count = whole ? answer.Whole.Count : answer.Compact.Count;
        if (count == 0) throw new ArgumentException("The answer has no ciphertext.", nameof(answer));
        int size = whole ? answer.Whole.Sum(WholeSize) : answer.Compact.Sum(CompactSize);
        var bytes = new byte[WireReader.HeaderSize + HeadSize + size];
        WireReader.WriteHeader(bytes, Magic, whole ? IsWhole : (byte)0, parameters);
        Span<byte> rest = bytes.AsSpan(WireReader.HeaderSize);
        QueryFormat.Digest(specification).CopyTo(rest);
        BinaryPrimitives.WriteInt32LittleEndian(rest[Envelope.DigestSize..], answer.Rows);
        BinaryPrimitives.WriteInt32LittleEndian(rest[(Envelope.DigestSize + sizeof(uint))..], count);
        rest = rest[HeadSize..];
        foreach (Ciphertext ciphertext in answer.Whole)
        {
            CiphertextFormat.WriteBody(ciphertext, rest);
            rest = rest[WholeSize(ciphertext)..];
        }
        foreach (CompactCiphertext compact in answer.Compact)
        {
            WriteCompact(compact, rest);
            rest = rest[CompactSize(compact)..];
        }
        return bytes;
    }

    /// <summary>Reads an answer; the caller disposes of it.</summary>
    /// <param name="bytes">Any bytes.</param>
    /// <param name="parameters">Those that the key was made for, the very object.</param>
    /// <param name="specification">The model's: counts are checked against its layout before anything is allocated.</param>
    /// <param name="rows">How many rows were asked, where that is known.</param>
    /// <exception cref="HomomorphicException">The bytes are refused; the number says why.</exception>
    public static EncryptedAnswer Read(ReadOnlySpan<byte> bytes, RlweParameters parameters, ClientSpecification specification, int? rows = null)
    {
        var reader = new WireReader(bytes, Magic, "The answer", parameters, IsWhole);
        if (!CryptographicOperations.FixedTimeEquals(reader.Take(Envelope.DigestSize), QueryFormat.Digest(specification)))
            throw new HomomorphicException(HomomorphicError.WireModel, "The answer is another model's, or another version's.");
        uint answered = reader.Number(), count = reader.Number();
        if (answered is 0 or > QueryFormat.MaximumRows || (rows is { } asked && asked != answered))
            throw new HomomorphicException(HomomorphicError.WireRows, $"The answer says that it is for {answered} rows{(rows is { } wanted ? $"; {wanted} were asked" : "")}.");
        long expected = QueryLayout.RowSets(specification, (int)answered) * specification.Layout.AnswerCiphertexts;
        if (count != expected) throw new HomomorphicException(HomomorphicError.WireLayout, $"The answer has {count} ciphertexts; {answered} rows of this model give {expected}.");
        return (reader.Flags & IsWhole) != 0
            ? ReadWhole(ref reader, parameters, (int)answered, count)
            : ReadCompact(ref reader, parameters, specification, (int)answered, count);
    }

    private static EncryptedAnswer ReadWhole(ref WireReader reader, RlweParameters parameters, int rows, uint count)
    {
        var whole = new List<Ciphertext>();
        try
        {
            while (whole.Count < count) whole.Add(CiphertextFormat.ReadBody(ref reader, parameters));
            reader.RequireLeft(0);
            return new EncryptedAnswer(rows, whole);
        }
        catch
        {
            whole.ForEach(ciphertext => ciphertext.Dispose());
            throw;
        }
    }

    private static EncryptedAnswer ReadCompact(ref WireReader reader, RlweParameters parameters, ClientSpecification specification, int rows, uint count)
    {
        int bits = specification.Parameters.AnswerBits, degree = parameters.Ring.Degree;
        if (bits is < CompactScaling.MinimumBits or > CompactScaling.MaximumBits) throw new HomomorphicException(HomomorphicError.WireLayout, $"The specification's answers have {bits} bits; {CompactScaling.MinimumBits} to {CompactScaling.MaximumBits} are possible.");
        var compact = new List<CompactCiphertext>();
        while (compact.Count < count) compact.Add(ReadCompact(ref reader, bits, degree));
        reader.RequireLeft(0);
        return new EncryptedAnswer(rows, compact);
    }

    private static CompactCiphertext ReadCompact(ref WireReader reader, int bits, int degree)
    {
        uint said = reader.Number(), first = reader.Number(), step = reader.Number(), carried = reader.Number();
        if (said != bits) throw new HomomorphicException(HomomorphicError.WireLayout, $"A ciphertext of the answer has {said} bits a coefficient; the model's have {bits}.");
        if (step == 0 || carried == 0 || first + (step * (ulong)(carried - 1)) >= (ulong)degree)
            throw new HomomorphicException(HomomorphicError.WireLayout, $"A ciphertext of the answer carries {carried} coefficients from {first} on, every {step}; that is not within {degree}.");
        ReadOnlySpan<byte> packed0 = reader.Take(BitPacking.Bytes((int)carried, bits)), packed1 = reader.Take(BitPacking.Bytes(degree, bits));
        ulong[] c0 = new ulong[carried], c1 = new ulong[degree];
        if (!BitPacking.Unpack(packed0, bits, c0) || !BitPacking.Unpack(packed1, bits, c1)) throw new HomomorphicException(HomomorphicError.WireReserved, "The bits after a ciphertext's last coefficient are not zero.");
        if (!c1.AsSpan().ContainsAnyExcept(0UL)) throw new HomomorphicException(HomomorphicError.Transparent, "A ciphertext of the answer is readable without the key: its second part is zero. No honest server makes one.");
        return new CompactCiphertext(bits, (int)first, (int)step, c0, c1);
    }

    private static int WholeSize(Ciphertext ciphertext) => CiphertextFormat.BodySize(ciphertext.Parameters, ciphertext.Basis.Count);

    private static int CompactSize(CompactCiphertext compact) =>
        CompactHeadSize + BitPacking.Bytes(compact.C0.Length, compact.Bits) + BitPacking.Bytes(compact.C1.Length, compact.Bits);

    private static void WriteCompact(CompactCiphertext compact, Span<byte> target)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, compact.Bits);
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], compact.First);
        BinaryPrimitives.WriteInt32LittleEndian(target[8..], compact.Step);
        BinaryPrimitives.WriteInt32LittleEndian(target[12..], compact.C0.Length);
        int c0 = BitPacking.Bytes(compact.C0.Length, compact.Bits), c1 = BitPacking.Bytes(compact.C1.Length, compact.Bits);
        BitPacking.Pack(compact.C0, compact.Bits, target.Slice(CompactHeadSize, c0));
        BitPacking.Pack(compact.C1, compact.Bits, target.Slice(CompactHeadSize + c0, c1));
    }

    /// <summary>Fuzz target: any bytes are an answer, or refused with a <see cref="HomomorphicException"/>.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes, RlweParameters parameters, ClientSpecification specification)
    {
        try
        {
            Read(bytes, parameters, specification).Dispose();
        }
        catch (HomomorphicException)
        {
            // The documented refusal.
            return;
        }
    }
}

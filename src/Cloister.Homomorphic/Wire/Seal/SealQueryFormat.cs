using System.Buffers.Binary;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>
/// Queries and answers whose ciphertexts are SEAL's own objects (docs/formats/he-seal-query.md): the bodies of envelopes of the kinds
/// <see cref="EnvelopeKind.SealQuery"/> and <see cref="EnvelopeKind.SealAnswer"/>.
/// </summary>
public static class SealQueryFormat
{
    /// <summary>The most bytes that a query's ciphertexts may have in memory: with zlib small objects become large ones. One row set is always read.</summary>
    public const long MaximumExpanded = 64 << 20;

    private const int HeadSize = sizeof(uint);

    /// <summary>Reads a query. The caller disposes of it and of its public key.</summary>
    /// <param name="bytes">Any bytes.</param>
    /// <param name="parameters">The model's own object: what is read can be computed on with it alone.</param>
    /// <param name="specification">The model's: rows and counts are checked against its layout before anything is allocated.</param>
    /// <param name="version">The version that every object of the query was saved by; the answer is written with it.</param>
    /// <exception cref="HomomorphicException">The bytes are refused; the number says why.</exception>
    public static EncryptedQuery Read(ReadOnlySpan<byte> bytes, RlweParameters parameters, ClientSpecification specification, out SealVersion version)
    {
        if (bytes.Length < HeadSize) throw new HomomorphicException(HomomorphicError.WireTruncated, $"The query ends after {bytes.Length} bytes.");
        uint rows = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (rows is 0 or > QueryFormat.MaximumRows) throw new HomomorphicException(HomomorphicError.WireRows, $"The query says that it has {rows} rows; 1 to {QueryFormat.MaximumRows} are allowed.");
        // SEAL's objects are no smaller than the own format's, whose limit counts.
        int count = new QueryLayout(parameters, specification, (int)rows, specification.Parameters.CircuitPrivacy).Ciphertexts;
        long expanded = (long)count * 2 * sizeof(double) * parameters.Ring.Degree * parameters.Basis.Count;
        if (expanded > MaximumExpanded && count > specification.Layout.QueryCiphertexts)
            throw new HomomorphicException(HomomorphicError.WireOversized, $"A query of {rows} rows has {count} ciphertexts, {expanded} bytes in memory; at most {MaximumExpanded} are read. Send fewer rows.");
        ReadOnlySpan<byte> rest = bytes[HeadSize..];
        PublicKey? key = null;
        var ciphertexts = new List<Ciphertext>();
        SealVersion? first = null;
        try
        {
            if (specification.Parameters.CircuitPrivacy) key = SealPublicKeys.Read(Next(ref rest, ref first), parameters, out _, seeded: true);
            while (ciphertexts.Count < count)
            {
                ciphertexts.Add(SealFormat.ReadCiphertext(Next(ref rest, ref first), parameters, out _));
                if (ciphertexts[^1].Basis.Count != parameters.Basis.Count || ciphertexts[^1].Size != 2)
                    throw new HomomorphicException(HomomorphicError.WireLayout, "A ciphertext of the query has lost a modulus or is a product; fresh ones are computed on.");
            }
            if (rest.Length > 0) throw new HomomorphicException(HomomorphicError.WireTrailing, $"{rest.Length} bytes follow the query's {count} ciphertexts.");
            version = first!.Value;
            return new EncryptedQuery((int)rows, ciphertexts, key);
        }
        catch
        {
            key?.Dispose();
            ciphertexts.ForEach(ciphertext => ciphertext.Dispose());
            throw;
        }
    }

    /// <summary>Writes an answer of whole ciphertexts.</summary>
    /// <param name="answer">What a <see cref="CompiledModel"/> computed, in the form <see cref="AnswerForm.Whole"/>.</param>
    /// <param name="version">The query's.</param>
    public static byte[] WriteAnswer(EncryptedAnswer answer, SealVersion version)
    {
        if (answer.Form != AnswerForm.Whole) throw new ArgumentException("SEAL reads whole ciphertexts only.", nameof(answer));
        byte[][] ciphertexts = [.. answer.Whole.Select(ciphertext => SealFormat.WriteCiphertext(ciphertext, version))];
        byte[] whole = GC.AllocateUninitializedArray<byte>(checked(HeadSize + ciphertexts.Sum(bytes => bytes.Length)));
        BinaryPrimitives.WriteInt32LittleEndian(whole, answer.Rows);
        Span<byte> rest = whole.AsSpan(HeadSize);
        foreach (byte[] bytes in ciphertexts)
        {
            bytes.CopyTo(rest);
            rest = rest[bytes.Length..];
        }
        return whole;
    }

    /// <summary>Never throws anything but the refusal.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes, RlweParameters parameters, ClientSpecification specification)
    {
        try
        {
            using EncryptedQuery query = Read(bytes, parameters, specification, out _);
            query.PublicKey?.Dispose();
        }
        catch (HomomorphicException)
        {
            // The documented refusal.
        }
    }

    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> rest, ref SealVersion? version)
    {
        SealHeader header = SealHeader.Read(rest, "query's next object");
        version ??= header.Version;
        if (header.Version != version) throw new HomomorphicException(HomomorphicError.SealVersion, $"The query holds objects of SEAL {version} and {header.Version}; one version is answered.");
        ReadOnlySpan<byte> next = rest[..(int)header.TotalBytes];
        rest = rest[next.Length..];
        return next;
    }
}

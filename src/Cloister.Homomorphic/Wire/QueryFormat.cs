using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire;

/// <summary>A query as bytes (docs/formats/he-ciphertext.md): seeded ciphertexts as values, so that a server expands them without a transform.</summary>
public static class QueryFormat
{
    /// <summary>The most rows of one query.</summary>
    public const int MaximumRows = 1 << 20;

    private const byte HasPublicKey = 1;

    private static ReadOnlySpan<byte> Magic => "CLHEQURY"u8;

    /// <summary>Writes a query.</summary>
    /// <param name="query">What a <see cref="ModelClient"/> encrypted.</param>
    /// <param name="specification">The model's.</param>
    public static byte[] Write(ClientQuery query, ClientSpecification specification)
    {
        if (query.Ciphertexts.Count == 0) throw new ArgumentException("The query has no ciphertext.", nameof(query));
        RlweParameters parameters = query.Ciphertexts[0].Parameters;
        var layout = new QueryLayout(parameters, specification, query.Rows, query.PublicKey is not null);
        if (query.Ciphertexts.Count != layout.Ciphertexts) throw new ArgumentException($"{query.Rows} rows take {layout.Ciphertexts} ciphertexts, not {query.Ciphertexts.Count}.", nameof(query));
        var bytes = new byte[WireReader.HeaderSize + QueryLayout.HeadSize + layout.BodySize];
        WireReader.WriteHeader(bytes, Magic, query.PublicKey is null ? (byte)0 : HasPublicKey, parameters);
        Span<byte> rest = bytes.AsSpan(WireReader.HeaderSize);
        Digest(specification).CopyTo(rest);
        BinaryPrimitives.WriteInt32LittleEndian(rest[Envelope.DigestSize..], query.Rows);
        rest = rest[QueryLayout.HeadSize..];
        if (query.PublicKey is { } key)
        {
            PublicKeyFormat.WriteBody(key, rest);
            rest = rest[PublicKeyFormat.BodySize(parameters)..];
        }
        foreach (SeededCiphertext ciphertext in query.Ciphertexts)
        {
            ciphertext.Seed.CopyTo(rest);
            ResiduePacking.Write(ciphertext.C0, parameters.Basis.Count, rest[SeedExpander.SeedBytes..]);
            rest = rest[layout.CiphertextSize..];
        }
        return bytes;
    }

    /// <summary>Reads a query. The caller disposes of it and of its public key.</summary>
    /// <param name="bytes">Any bytes.</param>
    /// <param name="parameters">The model's own object: what is read can be computed on with it alone.</param>
    /// <param name="specification">The model's: rows and counts are checked against its layout before anything is allocated.</param>
    /// <exception cref="HomomorphicException">The bytes are refused; the number says why.</exception>
    public static EncryptedQuery Read(ReadOnlySpan<byte> bytes, RlweParameters parameters, ClientSpecification specification)
    {
        var reader = new WireReader(bytes, Magic, "The query", parameters, HasPublicKey);
        if (!CryptographicOperations.FixedTimeEquals(reader.Take(Envelope.DigestSize), Digest(specification)))
            throw new HomomorphicException(HomomorphicError.WireModel, "The query is for another model, or another version of it. Fetch the model's specification again.");
        uint rows = reader.Number();
        if (rows is 0 or > MaximumRows) throw new HomomorphicException(HomomorphicError.WireRows, $"The query says that it has {rows} rows; 1 to {MaximumRows} are allowed.");
        bool hasKey = (reader.Flags & HasPublicKey) != 0;
        if (hasKey != specification.Parameters.CircuitPrivacy)
            throw new HomomorphicException(HomomorphicError.WirePublicKey, hasKey ? "The query carries a public key, which this model has no use for." : "The query lacks the client's public key, which this model needs to hide itself in its answer.");
        var layout = new QueryLayout(parameters, specification, (int)rows, hasKey);
        reader.RequireLeft(layout.BodySize);
        return ReadBody(ref reader, parameters, layout, (int)rows, hasKey);
    }

    private static EncryptedQuery ReadBody(ref WireReader reader, RlweParameters parameters, QueryLayout layout, int rows, bool hasKey)
    {
        PublicKey? key = null;
        var ciphertexts = new List<Ciphertext>(layout.Ciphertexts);
        var seeds = new HashSet<(UInt128, UInt128)>(layout.Ciphertexts + 1);
        try
        {
            if (hasKey)
            {
                key = PublicKeyFormat.ReadBody(ref reader, parameters);
                seeds.Add(Words(key.Seed));
            }
            for (int i = 0; i < layout.Ciphertexts; i++)
            {
                ReadOnlySpan<byte> seed = reader.Take(SeedExpander.SeedBytes);
                // Of two ciphertexts with one uniform part the difference is a message and noise, readable by anybody.
                if (!seeds.Add(Words(seed))) throw new HomomorphicException(HomomorphicError.WireSeedRepeated, $"Ciphertext {i} has a seed that was there before: together they tell what they hide. Encrypt again.");
                var ciphertext = new Ciphertext(parameters, parameters.Basis);
                ciphertexts.Add(ciphertext);
                ResiduePacking.Read(reader.Take(layout.CiphertextSize - SeedExpander.SeedBytes), ciphertext.C0);
                Encryption.ExpandUniform(seed, ciphertext.C1);
            }
            return new EncryptedQuery(rows, ciphertexts, key);
        }
        catch
        {
            key?.Dispose();
            ciphertexts.ForEach(ciphertext => ciphertext.Dispose());
            throw;
        }
    }

    private static (UInt128, UInt128) Words(ReadOnlySpan<byte> seed) =>
        (BinaryPrimitives.ReadUInt128LittleEndian(seed), BinaryPrimitives.ReadUInt128LittleEndian(seed[16..]));

    internal static byte[] Digest(ClientSpecification specification)
    {
        byte[] digest = specification.Digest.Length == 2 * Envelope.DigestSize ? Convert.FromHexString(specification.Digest) : [];
        return digest.Length == Envelope.DigestSize ? digest : throw new ArgumentException("The specification's digest is no SHA-256 in hexadecimal.", nameof(specification));
    }

    /// <summary>Fuzz target: any bytes are a query, or refused with a <see cref="HomomorphicException"/>.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes, RlweParameters parameters, ClientSpecification specification)
    {
        try
        {
            using EncryptedQuery query = Read(bytes, parameters, specification);
            query.PublicKey?.Dispose();
        }
        catch (HomomorphicException)
        {
            // The documented refusal.
            return;
        }
    }
}

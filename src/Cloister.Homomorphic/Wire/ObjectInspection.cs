using System.Buffers.Binary;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire.Seal;
using static Cloister.Homomorphic.Wire.WireInspection;

namespace Cloister.Homomorphic.Wire;

/// <summary>Looks at what is made of ciphertexts: the own objects with their common header, and SEAL's.</summary>
internal static class ObjectInspection
{
    private static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["CLHEQURY"] = "query", ["CLHEANSW"] = "answer", ["CLHEPUBK"] = "public key", ["CLHECIPH"] = "ciphertext",
    };

    internal static WireInspection OfObject(ReadOnlySpan<byte> file, ClientSpecification? specification)
    {
        string magic = System.Text.Encoding.ASCII.GetString(file[..Math.Min(file.Length, WireReader.MagicSize)]);
        if (file.Length < WireReader.HeaderSize || !Names.TryGetValue(magic, out string? kind)) throw new HomomorphicException(HomomorphicError.WireMagic, "The file begins as one of Cloister's, but is none that is known.");
        List<KeyValuePair<string, string>> facts = [Fact("size", Bytes(file.Length)), Fact("parameter identity", Convert.ToHexStringLower(file.Slice(12, ParameterBlock.IdentitySize)))];
        if (kind is "query" or "answer" && file.Length >= WireReader.HeaderSize + QueryLayout.HeadSize)
        {
            facts.Add(Fact("model digest", Convert.ToHexStringLower(file.Slice(WireReader.HeaderSize, Envelope.DigestSize))));
            facts.Add(Fact("rows", BinaryPrimitives.ReadUInt32LittleEndian(file[(WireReader.HeaderSize + Envelope.DigestSize)..]).ToString(System.Globalization.CultureInfo.InvariantCulture)));
            bool flag = file[9] == 1;
            facts.Add(kind == "query" ? Fact("public key", flag ? "in it" : "none") : Fact("ciphertexts", flag ? "whole" : "compact"));
        }
        if (specification is null) return new WireInspection(kind, facts);
        RlweParameters parameters = ParameterSpecifications.Create(specification.Parameters);
        Read(kind, file, parameters, specification);
        return new WireInspection(kind, [.. facts, .. FactsOf(parameters), Fact("checked", $"whole, as one of {specification.Model}")]);
    }

    internal static WireInspection OfSeal(ReadOnlySpan<byte> file, ClientSpecification? specification)
    {
        SealHeader header = SealHeader.Read(file, "object");
        List<KeyValuePair<string, string>> facts = [Fact("saved by", $"SEAL {header.Version}"), Fact("compression", header.Compression.ToString()), Fact("size", Bytes(header.TotalBytes))];
        if (specification is null) return new WireInspection("SEAL object: a model's specification tells which (--spec)", facts);
        RlweParameters parameters = ParameterSpecifications.Create(specification.Parameters);
        HomomorphicException? refusal = null;
        foreach ((string kind, SealReading read) in Readings)
        {
            try
            {
                read(file, parameters);
                return new WireInspection($"SEAL {kind}", [.. facts, .. FactsOf(parameters)]);
            }
            catch (HomomorphicException refused)
            {
                // The first reader's reason is given if no other knows better.
                refusal ??= refused;
            }
        }
        throw refusal!;
    }

    private delegate void SealReading(ReadOnlySpan<byte> file, RlweParameters parameters);

    private static IEnumerable<(string Kind, SealReading Read)> Readings =>
    [
        ("ciphertext", (file, parameters) => SealFormat.ReadCiphertext(file, parameters, out _).Dispose()),
        ("public key", (file, parameters) => SealFormat.ReadPublicKey(file, parameters, out _).Dispose()),
        ("secret key in the clear: keep it from others", (file, parameters) => SealFormat.ReadSecretKey(file, parameters, out _).Dispose()),
        ("relinearisation keys", (file, parameters) => SealFormat.ReadRelinearizationKey(file, parameters, out _).Dispose()),
        ("Galois keys", (file, parameters) => SealFormat.ReadGaloisKeys(file, parameters, out _).Dispose()),
    ];

    private static void Read(string kind, ReadOnlySpan<byte> file, RlweParameters parameters, ClientSpecification specification)
    {
        switch (kind)
        {
            case "query":
                using (EncryptedQuery query = QueryFormat.Read(file, parameters, specification)) query.PublicKey?.Dispose();
                break;
            case "answer": AnswerFormat.Read(file, parameters, specification).Dispose(); break;
            case "public key": PublicKeyFormat.Read(file, parameters).Dispose(); break;
            default: CiphertextFormat.Read(file, parameters).Dispose(); break;
        }
    }
}

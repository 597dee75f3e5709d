using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire;

/// <summary>What a file of encrypted inference is, by its first bytes, and what it says of itself. Never a secret.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Facts">Names and values, in the order in which a person reads them.</param>
public sealed record WireInspection(string Kind, IReadOnlyList<KeyValuePair<string, string>> Facts)
{
    /// <summary>Looks at a file.</summary>
    /// <param name="file">Any bytes.</param>
    /// <param name="specification">A model's specification: what is made for it is read whole, and checked.</param>
    /// <exception cref="HomomorphicException">It is none of the known files, or is refused.</exception>
    public static WireInspection Of(ReadOnlySpan<byte> file, ClientSpecification? specification = null)
    {
        if (file.StartsWith("CLHEKEYF"u8)) return OfKey(file);
        if (file.StartsWith("CLHEENVL"u8)) return OfEnvelope(file);
        if (file.StartsWith("CLHEMODL"u8))
        {
            ClientSpecification client = CompiledModelFile.Read(file, out int serverAt);
            return new WireInspection("compiled model: as secret as the model", [.. FactsOf(client), Fact("secret part", Bytes(file.Length - serverAt))]);
        }
        if (file.StartsWith("CLHE"u8)) return ObjectInspection.OfObject(file, specification);
        if (file.StartsWith((ReadOnlySpan<byte>)[0x5E, 0xA1])) return ObjectInspection.OfSeal(file, specification);
        if (file.TrimStart(" \r\n\t"u8).StartsWith("{"u8)) return new WireInspection("client specification", FactsOf(ClientSpecificationJson.Read(file)));
        throw new HomomorphicException(HomomorphicError.WireMagic, "The file is none of encrypted inference: no key, query, answer, envelope, compiled model or specification of Cloister, and no object of SEAL.");
    }

    internal static KeyValuePair<string, string> Fact(string name, string value) => new(name, value);

    internal static string Bytes(long count) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{count:N0} bytes");

    internal static List<KeyValuePair<string, string>> FactsOf(RlweParameters parameters)
    {
        RnsBasis chain = parameters.Ring.Basis;
        return
        [
            Fact("ring", $"degree {parameters.Ring.Degree}, primes of {string.Join(" + ", chain.Moduli.Select(ResiduePacking.Bits))} bits{(parameters.SpecialModuli == 0 ? "" : ", the last special")}, t = {parameters.Plaintext.Value}"),
            Fact("security", $"{(int)parameters.Ring.Level} bits: {chain.Product.GetBitLength()} of at most {SecurityTable.MaximumBits(parameters.Ring.Degree, parameters.Ring.Level)} bits of modulus (ePrint 2024/463)"),
            Fact("parameter identity", Convert.ToHexStringLower(ParameterBlock.Identity(parameters))),
        ];
    }

    private static WireInspection OfKey(ReadOnlySpan<byte> file)
    {
        KeyFileDescription key = KeyFile.Describe(file);
        return new WireInspection("client's key, under a passphrase", [Fact("key id", key.Id.ToString()), .. FactsOf(key.Parameters), Fact("protection", $"AES-256-GCM, PBKDF2-SHA256 with {key.Iterations} iterations")]);
    }

    private static WireInspection OfEnvelope(ReadOnlySpan<byte> file)
    {
        EnvelopeHeader header = Envelope.ReadHeader(file);
        return new WireInspection($"envelope of a {(header.Kind is EnvelopeKind.Query or EnvelopeKind.SealQuery ? "query" : "answer")}{(header.Kind is EnvelopeKind.SealQuery or EnvelopeKind.SealAnswer ? " in SEAL's format" : "")}",
        [
            Fact("model digest", Convert.ToHexStringLower(header.ModelDigest.Span)), Fact("key id", header.KeyId.ToString()), Fact("owner", Convert.ToHexStringLower(header.Owner.Span)),
            Fact("request id", Convert.ToHexStringLower(header.RequestId.Span)), Fact("body", Bytes(file.Length - Envelope.Overhead)),
        ]);
    }

    private static List<KeyValuePair<string, string>> FactsOf(ClientSpecification specification)
    {
        List<KeyValuePair<string, string>> facts =
        [
            Fact("model", specification.Model), Fact("digest", specification.Digest), Fact("design", specification.Design.ToString()), .. FactsOf(ParameterSpecifications.Create(specification.Parameters)),
            Fact("features", string.Join(", ", specification.Features.Select(feature => feature.Name))),
            Fact("output", $"{specification.Output.Link}{(specification.Output.Classes.Count == 0 ? "" : $" of {string.Join(", ", specification.Output.Classes)}")}"),
            Fact("query", $"{specification.Layout.QueryCiphertexts} ciphertexts for up to {specification.Layout.Rows} rows"),
            Fact("answer", $"{specification.Layout.AnswerCiphertexts} ciphertexts of {specification.Parameters.AnswerBits} bits a coefficient"),
            Fact("circuit privacy", specification.Parameters.CircuitPrivacy ? "yes: queries carry a public key" : "no"),
        ];
        facts.AddRange(specification.Learns.Select(sentence => Fact("a client learns", sentence)));
        return facts;
    }

    /// <summary>Fuzz target: any bytes are described, or refused with a <see cref="HomomorphicException"/>.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _ = Of(bytes);
        }
        catch (HomomorphicException)
        {
            // The documented refusal.
            return;
        }
    }
}

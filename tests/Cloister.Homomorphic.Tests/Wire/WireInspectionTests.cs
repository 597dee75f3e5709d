using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire;
using Cloister.Homomorphic.Wire.Seal;
using static Cloister.Homomorphic.Tests.Wire.WireSample;

namespace Cloister.Homomorphic.Tests.Wire;

public sealed class WireInspectionTests
{
    [Fact]
    public void Every_own_file_is_known_by_its_first_bytes()
    {
        using var sample = new WireSample(circuitPrivacy: true);
        foreach ((string kind, byte[] file) in Files(sample))
        {
            WireInspection inspection = WireInspection.Of(file);
            Assert.StartsWith(kind, inspection.Kind, StringComparison.Ordinal);
            Assert.NotEmpty(inspection.Facts);
            Mutation.Drive(file, WireInspection.Fuzz, rounds: 200);
        }
        Assert.Contains(WireInspection.Of(Files(sample)["query"]).Facts, fact => fact is { Key: "rows", Value: "1" });
    }

    [Fact]
    public void With_a_specification_objects_are_read_whole()
    {
        using var sample = new WireSample(circuitPrivacy: true);
        Dictionary<string, byte[]> files = Files(sample);
        foreach (string kind in new[] { "query", "public key", "ciphertext" })
        {
            Assert.Contains(WireInspection.Of(files[kind], sample.Specification).Facts, fact => fact.Key == "checked");
            Refused(HomomorphicError.WireTruncated, () => WireInspection.Of(files[kind].AsSpan(..^1), sample.Specification));
        }
        Assert.Contains(WireInspection.Of(files["client's key"]).Facts, fact => fact is { Key: "security", Value: "128 bits: 106 of at most 106 bits of modulus (ePrint 2024/463)" });
    }

    [Fact]
    public void Objects_of_SEAL_are_told_apart_with_a_specification()
    {
        using var sample = new WireSample();
        using PublicKey open = PublicKey.Of(sample.Key);
        byte[] ciphertext = SealFormat.Encrypt(sample.Message(1), sample.Key, SealVersion.NodeSeal7, SealCompression.Zlib);
        WireInspection blind = WireInspection.Of(ciphertext);
        Assert.StartsWith("SEAL object", blind.Kind, StringComparison.Ordinal);
        Assert.Contains(blind.Facts, fact => fact is { Key: "saved by", Value: "SEAL 4.1" });
        foreach ((string kind, byte[] file) in new[]
        {
            ("SEAL ciphertext", ciphertext), ("SEAL public key", SealFormat.WritePublicKey(open, SealVersion.NodeSeal7)), ("SEAL secret key", SealFormat.WriteSecretKey(sample.Key, SealVersion.NodeSeal7)),
        }) Assert.StartsWith(kind, WireInspection.Of(file, sample.Specification).Kind, StringComparison.Ordinal);
        Mutation.Drive(ciphertext, WireInspection.Fuzz, rounds: 200);
    }

    [Fact]
    public void Other_files_are_refused()
    {
        foreach (string text in new[] { "", "hello", "CLHE", "CLHESOME", "{", "{}", "  {\"model\":1}" })
            Assert.Throws<HomomorphicException>(() => WireInspection.Of(System.Text.Encoding.ASCII.GetBytes(text)));
    }

    private static Dictionary<string, byte[]> Files(WireSample sample)
    {
        using PublicKey open = PublicKey.Of(sample.Key);
        using ClientQuery query = sample.Query(open, rows: 1);
        using Ciphertext ciphertext = query.Ciphertexts[0].Expand();
        using ClientKey key = ClientKey.Generate(sample.Parameters);
        using var envelopeKey = new EnvelopeKey(new byte[32]);
        byte[] written = QueryFormat.Write(query, sample.Specification);
        using CompiledModel model = LinearCompiler.Compile(
            new LinearModel { Features = ["x"], Weights = [[1]], Intercepts = [0] }, [[0], [1]], new LinearOptions { Name = "line" });
        return new Dictionary<string, byte[]>
        {
            ["query"] = written,
            ["public key"] = PublicKeyFormat.Write(open),
            ["ciphertext"] = CiphertextFormat.Write(ciphertext),
            ["client's key"] = KeyFile.Write(key, "a passphrase"u8, KeyFile.MinimumIterations),
            ["envelope of a query"] = Envelope.Seal(new EnvelopeHeader(EnvelopeKind.Query, new byte[32], key.Id, new byte[32], new byte[16]), written, envelopeKey),
            ["compiled model"] = model.ToBytes(),
            ["client specification"] = ClientSpecificationJson.Write(model.Client),
        };
    }
}

using System.Security.Cryptography;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire;
using static Cloister.Homomorphic.Tests.Wire.WireSample;

namespace Cloister.Homomorphic.Tests.Wire;

public sealed class QueryFormatTests
{
    private const int Head = 64, CiphertextSize = 32 + (2 * 4096 * 45 / 8);

    [Theory, InlineData(false), InlineData(true)]
    public void A_query_arrives_as_it_was_sent(bool circuitPrivacy)
    {
        using var sample = new WireSample(circuitPrivacy);
        using PublicKey? open = circuitPrivacy ? PublicKey.Of(sample.Key) : null;
        using ClientQuery query = sample.Query(open);
        byte[] bytes = QueryFormat.Write(query, sample.Specification);
        Assert.Equal(Head + ((6 + (circuitPrivacy ? 1 : 0)) * CiphertextSize), bytes.Length);

        using EncryptedQuery read = QueryFormat.Read(bytes, sample.Parameters, sample.Specification);
        Assert.Equal((Rows, 6), (read.Rows, read.Ciphertexts.Count));
        for (int i = 0; i < 6; i++) Assert.Equal(sample.Message(i), Encryption.Decrypt(read.Ciphertexts[i], sample.Key));

        Assert.Equal(circuitPrivacy, read.PublicKey is not null);
        if (read.PublicKey is not { } arrived) return;
        using Ciphertext encrypted = Encryption.Encrypt(sample.Message(9), arrived);
        Assert.Equal(sample.Message(9), Encryption.Decrypt(encrypted, sample.Key));
        read.Ciphertexts[0].Add(Encryption.EncryptZero(arrived));
        Assert.Equal(sample.Message(0), Encryption.Decrypt(read.Ciphertexts[0], sample.Key));
        arrived.Dispose();
    }

    [Fact]
    public void LayoutIsFrozen()
    {
        using var sample = new WireSample(circuitPrivacy: true);
        using RnsPolynomial b = sample.Uniform("public key");
        using var open = new PublicKey(sample.Parameters, b, SHA256.HashData("a"u8));
        using var query = new ClientQuery(2, [Ciphertext(sample, "first"), Ciphertext(sample, "second")], open);
        Assert.Equal("4c74eaf32869d36a7e39b375548960d7", Convert.ToHexStringLower(ParameterBlock.Identity(sample.Parameters)));
        Assert.Equal("f3e6923277916312a43fc7caf1eabe103a82724ed2cf17b3f84d5666f6d3b112", Digest(QueryFormat.Write(query, sample.Specification)));
        Assert.Equal("df264447ea14a8c25fa17eebc1e0544f78cae6ee2f96b6a6c00406c208cad54c", Digest(PublicKeyFormat.Write(open)));
    }

    [Fact]
    public void What_is_not_the_models_is_refused_by_number()
    {
        using var sample = new WireSample();
        using ClientQuery query = sample.Query();
        ClientSpecification specification = sample.Specification;
        byte[] bytes = QueryFormat.Write(query, specification);
        RlweParameters others = RlweParameters.Create(RingParameters.Create(4096, [45, 45, 16]), 257, specialModuli: 1);
        Refused(HomomorphicError.WireParameters, () => QueryFormat.Read(bytes, others, specification));
        RlweParameters whole = RlweParameters.Create(RingParameters.Create(4096, [45, 45, 16]), 65537);
        Refused(HomomorphicError.WireParameters, () => QueryFormat.Read(bytes, whole, specification));
        Refused(HomomorphicError.WireModel, () => QueryFormat.Read(bytes, sample.Parameters, specification with { Digest = new string('0', 64) }));
        Refused(HomomorphicError.WirePublicKey, () => QueryFormat.Read(bytes, sample.Parameters, Describe(sample.Parameters, circuitPrivacy: true)));
        Refused(HomomorphicError.WireMagic, () => QueryFormat.Read("hello"u8, sample.Parameters, specification));
        Refused(HomomorphicError.WireTruncated, () => QueryFormat.Read(bytes.AsSpan(0, 40), sample.Parameters, specification));
        Refused(HomomorphicError.WireTruncated, () => QueryFormat.Read(bytes.AsSpan(0, bytes.Length - 1), sample.Parameters, specification));
        Refused(HomomorphicError.WireTrailing, () => QueryFormat.Read([.. bytes, 0], sample.Parameters, specification));
        ClientSpecification more = specification with { Layout = specification.Layout with { QueryCiphertexts = 3 } };
        Refused(HomomorphicError.WireTruncated, () => QueryFormat.Read(bytes, sample.Parameters, more));
    }

    [Fact]
    public void Malformed_bytes_are_refused_by_number()
    {
        using var sample = new WireSample();
        using ClientQuery query = sample.Query(rows: 1);
        byte[] bytes = QueryFormat.Write(query, sample.Specification);
        foreach ((int at, byte[] value, HomomorphicError error) in new (int, byte[], HomomorphicError)[]
        {
            (8, [2], HomomorphicError.WireVersion), (9, [2], HomomorphicError.WireReserved), (10, [1], HomomorphicError.WireReserved), (9, [1], HomomorphicError.WirePublicKey),
            (60, [0, 0, 0, 0], HomomorphicError.WireRows), (60, [1, 0, 16, 0], HomomorphicError.WireRows), (60, [255, 255, 255, 255], HomomorphicError.WireRows),
            (60, [0, 0, 16, 0], HomomorphicError.WireOversized), (60, [3, 0, 0, 0], HomomorphicError.WireTruncated),
            (Head + 32, [255, 255, 255, 255, 255, 255], HomomorphicError.WireResidue),
        })
        {
            byte[] changed = [.. bytes];
            value.CopyTo(changed, at);
            Refused(error, () => QueryFormat.Read(changed, sample.Parameters, sample.Specification));
        }
    }

    [Fact]
    public void Two_ciphertexts_with_one_seed_and_a_public_key_of_zero_are_refused()
    {
        using var sample = new WireSample(circuitPrivacy: true);
        using PublicKey open = PublicKey.Of(sample.Key);
        using ClientQuery query = sample.Query(open, rows: 1);
        byte[] bytes = QueryFormat.Write(query, sample.Specification), twice = [.. bytes], withKey = [.. bytes], zero = [.. bytes];
        bytes.AsSpan(Head + CiphertextSize, 32).CopyTo(twice.AsSpan(Head + (2 * CiphertextSize)));
        Refused(HomomorphicError.WireSeedRepeated, () => QueryFormat.Read(twice, sample.Parameters, sample.Specification));
        bytes.AsSpan(Head, 32).CopyTo(withKey.AsSpan(Head + CiphertextSize));
        Refused(HomomorphicError.WireSeedRepeated, () => QueryFormat.Read(withKey, sample.Parameters, sample.Specification));
        zero.AsSpan(Head + 32, CiphertextSize - 32).Clear();
        Refused(HomomorphicError.Transparent, () => QueryFormat.Read(zero, sample.Parameters, sample.Specification));
    }

    [Fact]
    public void A_public_key_travels_alone_too()
    {
        using var sample = new WireSample();
        using PublicKey open = PublicKey.Of(sample.Key);
        byte[] bytes = PublicKeyFormat.Write(open);
        using PublicKey read = PublicKeyFormat.Read(bytes, sample.Parameters);
        Assert.Equal(bytes, PublicKeyFormat.Write(read));
        using Ciphertext encrypted = Encryption.Encrypt(sample.Message(1), read);
        Assert.Equal(sample.Message(1), Encryption.Decrypt(encrypted, sample.Key));
        Refused(HomomorphicError.WireTrailing, () => PublicKeyFormat.Read([.. bytes, 0], sample.Parameters));
        Mutation.Drive(bytes, changed => PublicKeyFormat.Fuzz(changed, sample.Parameters), rounds: 300);
    }

    [Fact]
    public void Mutated_queries_are_refused_and_nothing_else()
    {
        using var sample = new WireSample(circuitPrivacy: true);
        using PublicKey open = PublicKey.Of(sample.Key);
        using ClientQuery query = sample.Query(open, rows: 1);
        Mutation.Drive(QueryFormat.Write(query, sample.Specification), changed => QueryFormat.Fuzz(changed, sample.Parameters, sample.Specification), rounds: 300);
    }

    private static SeededCiphertext Ciphertext(WireSample sample, string label) => new(sample.Parameters, sample.Uniform(label), SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(label)));

    private static string Digest(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}

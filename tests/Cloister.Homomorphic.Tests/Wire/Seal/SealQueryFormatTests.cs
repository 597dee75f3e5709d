using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire.Seal;
using static Cloister.Homomorphic.Tests.Wire.WireSample;

namespace Cloister.Homomorphic.Tests.Wire.Seal;

public sealed class SealQueryFormatTests
{
    private const int Ciphertexts = 6;

    [Theory, InlineData(false, SealCompression.None), InlineData(true, SealCompression.None), InlineData(false, SealCompression.Zlib)]
    public void A_query_arrives_as_it_was_sent_with_its_version(bool circuitPrivacy, SealCompression compression)
    {
        using var sample = new WireSample(circuitPrivacy);
        var saved = new SealVersion(4, 3);
        byte[] key = circuitPrivacy ? SeededKey(sample, saved, compression) : [];
        byte[] bytes = Query(sample, saved, Ciphertexts, compression, key);
        using EncryptedQuery read = SealQueryFormat.Read(bytes, sample.Parameters, sample.Specification, out SealVersion version);
        Assert.Equal((saved, Rows, Ciphertexts), (version, read.Rows, read.Ciphertexts.Count));
        for (int i = 0; i < Ciphertexts; i++) Assert.Equal(sample.Message(i), Encryption.Decrypt(read.Ciphertexts[i], sample.Key));
        Assert.Equal(circuitPrivacy, read.PublicKey is not null);
        read.PublicKey?.Dispose();

        using var answer = new EncryptedAnswer(Rows, [.. Enumerable.Range(0, 2).Select(i => read.Ciphertexts[i].Copy())]);
        byte[] answered = SealQueryFormat.WriteAnswer(answer, version);
        Assert.Equal(bytes[..4], answered[..4]);
        int first = SealFormat.LengthOf(answered.AsSpan(4));
        using Ciphertext second = SealFormat.ReadCiphertext(answered.AsSpan(4 + first), sample.Parameters, out SealVersion named);
        Assert.Equal(saved, named);
        Assert.Equal(sample.Message(1), Encryption.Decrypt(second, sample.Key));
    }

    [Fact]
    public void A_public_key_whose_second_part_the_client_may_have_chosen_is_refused()
    {
        using var sample = new WireSample(circuitPrivacy: true);
        using PublicKey open = PublicKey.Of(sample.Key);
        byte[] query = Query(sample, SealVersion.NodeSeal7, Ciphertexts, key: SealFormat.WritePublicKey(open, SealVersion.NodeSeal7));
        var refusal = Assert.Throws<HomomorphicException>(() => SealQueryFormat.Read(query, sample.Parameters, sample.Specification, out _));
        Assert.Equal(HomomorphicError.WirePublicKey, refusal.Error);
    }

    [Fact]
    public void What_does_not_fit_the_model_is_refused_by_number()
    {
        using var sample = new WireSample();
        byte[] bytes = Query(sample, SealVersion.NodeSeal7, Ciphertexts);
        Refused(HomomorphicError.WireTruncated, [1, 0]);
        Refused(HomomorphicError.WireRows, [0, 0, 0, 0]);
        Refused(HomomorphicError.WireRows, [0, 0, 0, 128]);
        Refused(HomomorphicError.SealTruncated, bytes[..^1]);
        Refused(HomomorphicError.SealTruncated, Query(sample, SealVersion.NodeSeal7, Ciphertexts - 1));
        Refused(HomomorphicError.WireTrailing, [.. bytes, 0]);
        Refused(HomomorphicError.SealVersion, [.. Query(sample, SealVersion.NodeSeal7, Ciphertexts - 1), .. SealFormat.Encrypt(sample.Message(0), sample.Key, new SealVersion(4, 4))]);
        Assert.Throws<ArgumentException>(() => SealQueryFormat.WriteAnswer(new EncryptedAnswer(1, new List<CompactCiphertext>()), SealVersion.NodeSeal7));

        void Refused(HomomorphicError error, byte[] query) =>
            Assert.Equal(error, Assert.Throws<HomomorphicException>(() => SealQueryFormat.Read(query, sample.Parameters, sample.Specification, out _)).Error);
    }

    [Fact]
    public void More_than_a_server_holds_in_memory_is_refused_before_an_object_is_read()
    {
        using var sample = new WireSample();
        long set = 2L * sizeof(double) * sample.Parameters.Ring.Degree * sample.Parameters.Basis.Count * sample.Specification.Layout.QueryCiphertexts;
        int sets = (int)(SealQueryFormat.MaximumExpanded / set);
        Assert.Equal(HomomorphicError.SealTruncated, Refused(sets));
        Assert.Equal(HomomorphicError.WireOversized, Refused(sets + 1));

        HomomorphicError Refused(int rowSets) => Assert.Throws<HomomorphicException>(
            () => SealQueryFormat.Read(BitConverter.GetBytes(rowSets * sample.Specification.Layout.Rows), sample.Parameters, sample.Specification, out _)).Error;
    }

    [Fact]
    public void Mutations_are_refused_and_nothing_else_happens()
    {
        using var sample = new WireSample();
        byte[] bytes = Query(sample, SealVersion.NodeSeal7, Ciphertexts);
        Mutation.Drive(bytes, mutant => SealQueryFormat.Fuzz(mutant, sample.Parameters, sample.Specification), rounds: 200);
    }

    private static byte[] SeededKey(WireSample sample, SealVersion version, SealCompression compression)
    {
        SealPolynomials polynomials = SealPublicKeys.Of(sample.Parameters);
        var seed = new SealSeed(SealGenerator.Blake2Xb, new byte[SealSeed.SeedBytes]);
        using var a = new RnsPolynomial(polynomials.Basis);
        seed.Expand(a);
        polynomials.ToOurs(a);
        using RnsPolynomial b = Encryption.Hide(default, a, sample.Key);
        byte[] whole = SealFormat.NewObject(polynomials.MemberBytes(seeded: true), version);
        var writer = new SealWriter(whole.AsSpan(SealHeader.Bytes), version);
        polynomials.WriteSeeded(ref writer, SealParameters.Of(sample.Parameters), b, seed);
        return SealBody.Close(whole, version, compression);
    }

    private static byte[] Query(WireSample sample, SealVersion version, int ciphertexts, SealCompression compression = SealCompression.None, byte[]? key = null) =>
        [.. BitConverter.GetBytes(Rows), .. key ?? [], .. Enumerable.Range(0, ciphertexts).SelectMany(i => SealFormat.Encrypt(sample.Message(i), sample.Key, version, compression))];
}

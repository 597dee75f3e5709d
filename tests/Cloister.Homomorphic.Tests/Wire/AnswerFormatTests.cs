using System.Security.Cryptography;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire;
using static Cloister.Homomorphic.Tests.Wire.WireSample;

namespace Cloister.Homomorphic.Tests.Wire;

public sealed class AnswerFormatTests
{
    private const int Head = 68;

    [Fact]
    public void A_compact_answer_arrives_as_it_was_sent()
    {
        using var sample = new WireSample();
        using EncryptedAnswer answer = Compact(sample);
        byte[] bytes = AnswerFormat.Write(answer, sample.Parameters, sample.Specification);
        Assert.Equal(Head + (3 * (16 + (5 * Bits / 8) + (4096 * Bits / 8))), bytes.Length);
        using EncryptedAnswer read = AnswerFormat.Read(bytes, sample.Parameters, sample.Specification, Rows);
        Assert.Equal((Rows, AnswerForm.Compact, 3), (read.Rows, read.Form, read.Compact.Count));
        foreach ((CompactCiphertext sent, CompactCiphertext arrived) in answer.Compact.Zip(read.Compact))
        {
            Assert.Equal((sent.Bits, sent.First, sent.Step), (arrived.Bits, arrived.First, arrived.Step));
            Assert.Equal(sent.C0, arrived.C0);
            Assert.Equal(sent.C1, arrived.C1);
        }
    }

    [Fact]
    public void A_whole_answer_arrives_as_it_was_sent_whatever_moduli_are_left()
    {
        using var sample = new WireSample();
        using Ciphertext fresh = Encryption.Encrypt(sample.Message(1), sample.Key).Expand(), other = Encryption.Encrypt(sample.Message(2), sample.Key).Expand();
        using var answer = new EncryptedAnswer(Rows, [fresh, fresh.DropModulus(), other]);
        using EncryptedAnswer read = AnswerFormat.Read(AnswerFormat.Write(answer, sample.Parameters, sample.Specification), sample.Parameters, sample.Specification);
        Assert.Equal([2, 1, 2], read.Whole.Select(ciphertext => ciphertext.Basis.Count));
        Assert.Equal(sample.Message(1), Encryption.Decrypt(read.Whole[0], sample.Key));
        Assert.Equal(sample.Message(1), Encryption.Decrypt(read.Whole[1], sample.Key));
        Assert.Equal(sample.Message(2), Encryption.Decrypt(read.Whole[2], sample.Key));
    }

    [Fact]
    public void LayoutIsFrozen()
    {
        using var sample = new WireSample();
        using EncryptedAnswer answer = Compact(sample);
        Assert.Equal("f8d4ee0a938f118fe641e4345d8c8518b805a501841e92237d5773f37161505d", Digest(AnswerFormat.Write(answer, sample.Parameters, sample.Specification)));
        using var ciphertext = new Ciphertext(sample.Parameters, sample.Parameters.Basis);
        ciphertext.C0.CopyFrom(sample.Uniform("c0"));
        ciphertext.C1.CopyFrom(sample.Uniform("c1"));
        Assert.Equal("1431f8d42dd53f3a866e7d7daefc03c8e7ef8815884604796b74a4dc780de6b3", Digest(CiphertextFormat.Write(ciphertext)));
        using var whole = new EncryptedAnswer(2, [ciphertext]);
        Assert.Equal("ca21bdb79cf34c8bbc4a683c988f147b983f87ab7b1bc388c0dce586c4a38412", Digest(AnswerFormat.Write(whole, sample.Parameters, sample.Specification)));
    }

    [Fact]
    public void What_was_not_asked_is_refused_by_number()
    {
        using var sample = new WireSample();
        using EncryptedAnswer answer = Compact(sample);
        ClientSpecification specification = sample.Specification;
        byte[] bytes = AnswerFormat.Write(answer, sample.Parameters, specification);
        Refused(HomomorphicError.WireRows, () => AnswerFormat.Read(bytes, sample.Parameters, specification, Rows + 1));
        Refused(HomomorphicError.WireModel, () => AnswerFormat.Read(bytes, sample.Parameters, specification with { Digest = new string('0', 64) }));
        Refused(HomomorphicError.WireLayout, () => AnswerFormat.Read(bytes, sample.Parameters, specification with { Layout = specification.Layout with { AnswerCiphertexts = 2 } }));
        Refused(HomomorphicError.WireLayout, () => AnswerFormat.Read(bytes, sample.Parameters, specification with { Parameters = specification.Parameters with { AnswerBits = 25 } }));
        Refused(HomomorphicError.WireLayout, () => AnswerFormat.Read(bytes, sample.Parameters, specification with { Parameters = specification.Parameters with { AnswerBits = 64 } }));
        Refused(HomomorphicError.WireTrailing, () => AnswerFormat.Read([.. bytes, 0], sample.Parameters, specification));
        Refused(HomomorphicError.WireTruncated, () => AnswerFormat.Read(bytes.AsSpan(0, bytes.Length - 1), sample.Parameters, specification));
        using ClientQuery query = sample.Query();
        Refused(HomomorphicError.WireMagic, () => AnswerFormat.Read(QueryFormat.Write(query, specification), sample.Parameters, specification));
    }

    [Fact]
    public void Malformed_ciphertexts_are_refused_by_number()
    {
        using var sample = new WireSample();
        using EncryptedAnswer answer = Compact(sample);
        byte[] bytes = AnswerFormat.Write(answer, sample.Parameters, sample.Specification);
        foreach ((int at, byte[] value, HomomorphicError error) in new (int, byte[], HomomorphicError)[]
        {
            (60, [0, 0, 0, 0], HomomorphicError.WireRows), (64, [4, 0, 0, 0], HomomorphicError.WireLayout), (Head, [23], HomomorphicError.WireLayout),
            (Head + 4, [255, 255, 255, 255], HomomorphicError.WireLayout), (Head + 8, [0, 0, 0, 0], HomomorphicError.WireLayout),
            (Head + 8, [255, 255, 255, 255], HomomorphicError.WireLayout), (Head + 12, [0, 0, 0, 0], HomomorphicError.WireLayout), (Head + 12, [255, 255, 255, 255], HomomorphicError.WireLayout),
        })
        {
            byte[] changed = [.. bytes];
            value.CopyTo(changed, at);
            Refused(error, () => AnswerFormat.Read(changed, sample.Parameters, sample.Specification));
        }
        byte[] open = [.. bytes];
        open.AsSpan(Head + 16 + (5 * Bits / 8), 4096 * Bits / 8).Clear();
        Refused(HomomorphicError.Transparent, () => AnswerFormat.Read(open, sample.Parameters, sample.Specification));
    }

    [Fact]
    public void A_whole_ciphertext_is_read_strictly()
    {
        using var sample = new WireSample();
        using Ciphertext ciphertext = Encryption.Encrypt(sample.Message(1), sample.Key).Expand();
        byte[] bytes = CiphertextFormat.Write(ciphertext);
        using (Ciphertext read = CiphertextFormat.Read(bytes, sample.Parameters)) Assert.Equal(bytes, CiphertextFormat.Write(read));
        foreach ((int at, byte value, HomomorphicError error) in new[] { (28, (byte)0, HomomorphicError.WireLayout), (28, (byte)3, HomomorphicError.WireLayout), (29, (byte)1, HomomorphicError.WireReserved), (28, (byte)1, HomomorphicError.WireTrailing) })
        {
            byte[] changed = [.. bytes];
            changed[at] = value;
            // Another number of moduli may make a residue of the next limb one out of range first.
            HomomorphicError refusal = Assert.Throws<HomomorphicException>(() => CiphertextFormat.Read(changed, sample.Parameters)).Error;
            Assert.True(refusal == error || (error == HomomorphicError.WireTrailing && refusal == HomomorphicError.WireResidue), refusal.ToString());
        }
        byte[] open = [.. bytes];
        open.AsSpan(bytes.Length - (4096 * 45 / 8)).Clear();
        Refused(HomomorphicError.Transparent, () => CiphertextFormat.Read(open, sample.Parameters));
        Mutation.Drive(bytes, changed => CiphertextFormat.Fuzz(changed, sample.Parameters), rounds: 300);
    }

    [Fact]
    public void Mutated_answers_are_refused_and_nothing_else()
    {
        using var sample = new WireSample();
        using EncryptedAnswer answer = Compact(sample);
        Mutation.Drive(AnswerFormat.Write(answer, sample.Parameters, sample.Specification), changed => AnswerFormat.Fuzz(changed, sample.Parameters, sample.Specification), rounds: 300);
    }

    private static EncryptedAnswer Compact(WireSample sample) => new(Rows, [.. Enumerable.Range(0, 3).Select(number => new CompactCiphertext(
        Bits, 7, 100, [.. sample.Message(number)[..5]], [.. sample.Message(number + 3).Select(value => value * 200 % (1 << Bits))]))]);

    private static string Digest(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}

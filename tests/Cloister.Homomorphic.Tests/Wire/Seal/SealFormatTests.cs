using System.Numerics;
using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire.Seal;

namespace Cloister.Homomorphic.Tests.Wire.Seal;

public sealed class SealFormatTests
{
    private static readonly SealVersion Version = SealVersion.NodeSeal7;

    public static TheoryData<string> Chains => SealChain.All;

    [Theory, MemberData(nameof(Chains))]
    public void What_is_written_is_read_in_every_version(string name)
    {
        SealChain chain = SealChain.Of(name);
        RlweParameters parameters = chain.Parameters();
        using SecretKey secret = SecretKey.Generate(parameters);
        using PublicKey open = PublicKey.Of(secret);
        ulong[] message = chain.Message(1);
        using Ciphertext ciphertext = Encryption.Encrypt(message, open);
        for (byte minor = 0; minor <= 4; minor++)
        {
            var version = new SealVersion(4, minor);
            foreach (SealCompression compression in Enum.GetValues<SealCompression>())
            {
                using SecretKey secretRead = SealFormat.ReadSecretKey(SealFormat.WriteSecretKey(secret, version, compression), parameters, out SealVersion read);
                Assert.Equal(version, read);
                using PublicKey openRead = SealFormat.ReadPublicKey(SealFormat.WritePublicKey(open, version, compression), parameters, out read);
                Assert.Equal(version, read);
                using Ciphertext whole = SealFormat.ReadCiphertext(SealFormat.WriteCiphertext(ciphertext, version, compression), parameters, out read);
                Assert.Equal(version, read);
                using Ciphertext seeded = SealFormat.ReadCiphertext(SealFormat.Encrypt(message, secret, version, compression), parameters, out read);
                Assert.Equal(version, read);
                using Ciphertext again = Encryption.Encrypt(message, openRead);
                foreach (Ciphertext one in (Ciphertext[])[whole, seeded, again]) Assert.Equal(message, Encryption.Decrypt(one, secretRead));
                Assert.Equal(message, SealFormat.ReadPlaintext(SealFormat.WritePlaintext(message, parameters, version, compression), parameters, out read));
                Assert.Equal(version, read);
            }
        }
    }

    [Fact]
    public void Objects_that_follow_each_other_are_told_apart()
    {
        RlweParameters parameters = SealChain.Linear.Parameters();
        using SecretKey secret = SecretKey.Generate(parameters);
        byte[] one = SealFormat.Encrypt(SealChain.Linear.Message(1), secret, Version, SealCompression.Zlib), two = SealFormat.Encrypt(SealChain.Linear.Message(2), secret, Version);
        Assert.Equal(one.Length, SealFormat.LengthOf([.. one, .. two]));
        Assert.Equal(two.Length, SealFormat.LengthOf(two));
        Assert.Equal(HomomorphicError.SealTruncated, Assert.Throws<HomomorphicException>(() => SealFormat.LengthOf(two.AsSpan(0, 100))).Error);
    }

    [Fact]
    public void A_seed_stands_for_words_of_its_stream_modulo_the_primes()
    {
        // By big integers, from the definition: all words in turn, those that are too large replaced by the ones after them all.
        var basis = new RnsBasis(1024, new Modulus(40961), new Modulus(NttPrimes.Generate(49, 2048, 1)[0]));
        foreach (SealGenerator generator in Enum.GetValues<SealGenerator>())
        {
            var seed = new SealSeed(generator, Bytes(64, 1));
            foreach (VectorWidth width in Enum.GetValues<VectorWidth>())
            {
                using var expanded = new RnsPolynomial(basis);
                seed.Expand(expanded, width);
                for (int limb = 0; limb < 2; limb++)
                {
                    ulong q = basis.Moduli[limb].Value;
                    for (int i = 0; i < 1024; i++)
                    {
                        int word = limb * 1024 + i;
                        Assert.Equal(Word(seed, word) % q, basis.Moduli[limb].Unbalance(expanded.Limb(limb)[i]));
                    }
                }
            }
        }

        static BigInteger Word(SealSeed seed, int index)
        {
            byte[] block = new byte[4096], counter = BitConverter.GetBytes((ulong)(index / 512));
            if (seed.Generator == SealGenerator.Blake2Xb) Blake2Xb.Hash(counter, seed.Bytes, block, VectorWidth.Scalar);
            else Shake256.HashData([.. seed.Bytes, .. counter], block);
            return new BigInteger(block.AsSpan(index % 512 * 8, 8), isUnsigned: true);
        }
    }

    [Fact]
    public void Words_that_are_too_large_are_redrawn_after_all_others_at_every_width()
    {
        var basis = new RnsBasis(32768, [.. MiddlePrimes.Below(49, 65536, 3).Select(prime => new Modulus(prime))]);
        byte[] bytes = Bytes(64, 23);
        Assert.InRange(MiddlePrimes.Redrawn(basis, SealGenerator.Blake2Xb, bytes), 2, 20);
        var seed = new SealSeed(SealGenerator.Blake2Xb, bytes);
        using var scalar = new RnsPolynomial(basis);
        using var wide = new RnsPolynomial(basis);
        seed.Expand(scalar, VectorWidth.Scalar);
        foreach (VectorWidth width in (VectorWidth[])[VectorWidth.Wide256, VectorWidth.Wide512])
        {
            seed.Expand(wide, width);
            for (int limb = 0; limb < basis.Count; limb++) Assert.Equal(scalar.Limb(limb), wide.Limb(limb));
        }
        // As recorded where node-seal showed that this is SEAL's order.
        Assert.Equal("194838ea75efa75e453e6e4e08207fd90eeb5a87352d143db01d22b3e7686a67", Digest(Words(scalar)));
    }

    [Fact]
    public void Residues_are_the_same_at_every_width()
    {
        var modulus = new Modulus(NttPrimes.Generate(49, 2048, 1)[0]);
        ulong p = modulus.Value;
        var random = new Random(3);
        ulong[] numbers = [.. Enumerable.Range(0, 1037).Select(i => (i % 5) switch { 0 => 0UL, 1 => p - 1, 2 => p / 2, 3 => p / 2 + 1, _ => (ulong)random.NextInt64((long)p) })];
        byte[] bytes = [.. numbers.SelectMany(BitConverter.GetBytes)], written = new byte[bytes.Length];
        foreach (VectorWidth width in Enum.GetValues<VectorWidth>())
        {
            var residues = new double[numbers.Length];
            Assert.True(SealResidues.Read(bytes, residues, modulus, width));
            Assert.All(residues, (residue, i) => Assert.Equal(modulus.Balance(numbers[i]), residue));
            SealResidues.Write(residues, written, modulus, width);
            Assert.Equal(bytes, written);
            foreach (int at in (int[])[0, 7, 8, 1031, 1036])
            {
                foreach (ulong outside in (ulong[])[p, p + 1, 1UL << 52, 1UL << 63, (1UL << 63) + p, ulong.MaxValue])
                {
                    byte[] changed = [.. bytes];
                    BitConverter.TryWriteBytes(changed.AsSpan(at * 8), outside);
                    Assert.False(SealResidues.Read(changed, residues, modulus, width));
                }
            }
        }
    }

    [Fact]
    public void LayoutIsFrozen()
    {
        RlweParameters parameters = SealChain.Forest.Parameters();
        RnsBasis whole = parameters.Ring.Basis;
        using SecretKey secret = SecretKey.FromSeed(parameters, Bytes(32, 4));
        using var open = new PublicKey(parameters, Uniform(whole, 5), Uniform(whole, 6));
        using Ciphertext three = new(parameters, parameters.Basis, 3);
        foreach ((int seed, RnsPolynomial part) in (IEnumerable<(int, RnsPolynomial)>)[(7, three.C0), (8, three.C1), (9, three.C2!)])
        {
            using RnsPolynomial uniform = Uniform(parameters.Basis, seed);
            part.CopyFrom(uniform);
        }
        using var galois = new GaloisKeys(parameters, [KeyValuePair.Create(3, new KeySwitchingKey(parameters, [Uniform(whole, 10), Uniform(whole, 11)], [Uniform(whole, 12), Uniform(whole, 13)], default))]);
        byte[] seeded = new byte[SealHeader.Bytes + new SealPolynomials(parameters.Basis, IsKey: false, 2).MemberBytes(seeded: true)];
        new SealHeader(Version, SealCompression.None, seeded.Length).Write(seeded);
        var writer = new SealWriter(seeded.AsSpan(SealHeader.Bytes), Version);
        new SealPolynomials(parameters.Basis, IsKey: false, 2).WriteSeeded(ref writer, SealParameters.Of(parameters), three.C0, new SealSeed(SealGenerator.Blake2Xb, Bytes(64, 14)));
        using Ciphertext expanded = SealFormat.ReadCiphertext(seeded, parameters, out _);

        string digests = string.Join('\n', ((byte[][])
        [
            SealParameters.Of(parameters).Write(Version), SealFormat.WritePlaintext(SealChain.Forest.Message(15), parameters, Version), SealFormat.WriteSecretKey(secret, Version), SealFormat.WritePublicKey(open, Version),
            SealFormat.WriteCiphertext(three, Version), SealFormat.WriteGaloisKeys(galois, Version), seeded, SealFormat.WriteCiphertext(expanded, Version),
        ]).Select(Digest));
        Assert.Equal(
            """
            ec15db946f1238d366922163d50dc917dc5a2b8127fe388895ff19baa1cf03f6
            46a3ad0f6c5c5e3d7b5c87e9c7a7f61db765b876c9a1fc0d71ee63a880635ce4
            de1cd042cd955c50a6df4d05b9c3711b0d816113b09833466d881fa72ffbd79e
            a09b8ad4a5146fc20c23bd67d60b9fb84e4631d7104312c80d4639dfed4ded20
            50f805c5ba8acb8828b1857aee13cd46f37faf2cda5e4fad4ee87235679c88f3
            45144f893a34615cf51ff40f89fcbcb47326947e19bfe5cba0e3a34c26beb400
            20725255df6391f094bf984a0d61b8d11aa6ba05e9026654f1fdb50eab3b8f78
            284bcfaa4b0b5fee9ef91b7abf963cda170fe728ee4507a1e62449fe2077c96f
            """,
            digests);
    }

    [Fact]
    public void Any_bytes_are_an_object_or_refused()
    {
        RlweParameters parameters = SealChain.Forest.Parameters();
        using SecretKey secret = SecretKey.Generate(parameters);
        using PublicKey open = PublicKey.Of(secret);
        using RelinearizationKey relin = RelinearizationKey.Of(secret);
        using GaloisKeys galois = GaloisKeys.Of(secret, [1]);
        using Ciphertext ciphertext = Encryption.Encrypt(SealChain.Forest.Message(1), open);
        const int Rounds = 100;
        foreach (SealCompression compression in Enum.GetValues<SealCompression>())
        {
            Mutation.Drive(SealParameters.Of(parameters).Write(Version, compression), SealParameters.Fuzz, 1000);
            Mutation.Drive(SealFormat.WriteCiphertext(ciphertext, Version, compression), data => SealCiphertexts.Fuzz(data, parameters), Rounds);
            Mutation.Drive(SealFormat.Encrypt(SealChain.Forest.Message(2), secret, Version, compression), data => SealCiphertexts.Fuzz(data, parameters), Rounds);
            Mutation.Drive(SealFormat.WritePlaintext(SealChain.Forest.Message(3), parameters, Version, compression), data => SealPlaintexts.Fuzz(data, parameters), Rounds);
            Mutation.Drive(SealFormat.WriteSecretKey(secret, Version, compression), data => SealSecretKeys.Fuzz(data, parameters), Rounds);
            Mutation.Drive(SealFormat.WritePublicKey(open, Version, compression), data => SealPublicKeys.Fuzz(data, parameters), Rounds);
            Mutation.Drive(SealFormat.WriteRelinearizationKey(relin, Version, compression), data => SealSwitchingKeys.FuzzRelinearizationKey(data, parameters), Rounds);
            Mutation.Drive(SealFormat.WriteGaloisKeys(galois, Version, compression), data => SealSwitchingKeys.FuzzGaloisKeys(data, parameters), Rounds);
        }
    }

    private static RnsPolynomial Uniform(RnsBasis basis, int seed)
    {
        var polynomial = new RnsPolynomial(basis, RnsForm.Values);
        using var stream = new SeedExpander(Bytes(32, seed), "cloister seal tests"u8);
        Samplers.Uniform(stream, polynomial);
        return polynomial;
    }

    private static byte[] Bytes(int count, int seed) => [.. Enumerable.Range(0, count).Select(i => (byte)(seed + i))];

    private static byte[] Words(RnsPolynomial polynomial) =>
        [.. Enumerable.Range(0, polynomial.Basis.Count).SelectMany(limb => polynomial.Limb(limb).ToArray().SelectMany(residue => BitConverter.GetBytes((long)residue)))];

    private static string Digest(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}

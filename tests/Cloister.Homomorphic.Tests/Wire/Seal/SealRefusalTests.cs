using System.Buffers.Binary;
using System.IO.Compression;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire.Seal;

namespace Cloister.Homomorphic.Tests.Wire.Seal;

/// <summary>Each test breaks one field of a valid object, and expects the number of that field's refusal.</summary>
public sealed class SealRefusalTests : IDisposable
{
    // Where the members of an uncompressed ciphertext or public key lie.
    private const int ParmsId = 16, Form = 48, Polynomials = 49, Degree = 57, Limbs = 65, Scale = 73, Correction = 81, Residues = 89, Count = 105, Words = 113;

    private static readonly SealVersion Version = SealVersion.NodeSeal7;

    private readonly RlweParameters _parameters = SealChain.Forest.Parameters();
    private readonly SecretKey _secret;
    private readonly PublicKey _open;
    private readonly byte[] _ciphertext, _seeded;

    public SealRefusalTests()
    {
        _secret = SecretKey.Generate(_parameters);
        _open = PublicKey.Of(_secret);
        using Ciphertext ciphertext = Encryption.Encrypt(SealChain.Forest.Message(1), _open);
        _ciphertext = SealFormat.WriteCiphertext(ciphertext, Version);
        _seeded = SealFormat.Encrypt(SealChain.Forest.Message(2), _secret, Version);
    }

    public void Dispose()
    {
        _secret.Dispose();
        _open.Dispose();
    }

    [Theory]
    [InlineData(0, 0x5F, HomomorphicError.SealHeader)]
    [InlineData(2, 24, HomomorphicError.SealHeader)]
    [InlineData(3, 3, HomomorphicError.SealVersion)]
    [InlineData(3, 5, HomomorphicError.SealVersion)]
    [InlineData(4, 5, HomomorphicError.SealVersion)]
    [InlineData(4, 4, HomomorphicError.SealVersion)] // the array within says 4.1
    [InlineData(5, 1, HomomorphicError.SealInflation)]
    [InlineData(5, 2, HomomorphicError.SealCompression)]
    [InlineData(5, 77, HomomorphicError.SealCompression)]
    [InlineData(6, 1, HomomorphicError.SealHeader)]
    [InlineData(7, 1, HomomorphicError.SealHeader)]
    [InlineData(8, 3, HomomorphicError.SealTrailing)]
    [InlineData(15, 1, HomomorphicError.SealTruncated)]
    [InlineData(ParmsId, 1, HomomorphicError.SealParametersId)]
    [InlineData(ParmsId + 31, 1, HomomorphicError.SealParametersId)]
    [InlineData(Form, 1, HomomorphicError.SealForm)]
    [InlineData(Form, 255, HomomorphicError.SealForm)]
    [InlineData(Polynomials, 0, HomomorphicError.SealSize)]
    [InlineData(Polynomials, 1, HomomorphicError.SealSize)]
    [InlineData(Polynomials, 3, HomomorphicError.SealCount)]
    [InlineData(Polynomials, 4, HomomorphicError.SealSize)]
    [InlineData(Polynomials + 7, 255, HomomorphicError.SealSize)]
    [InlineData(Degree + 1, 8, HomomorphicError.SealSize)]
    [InlineData(Degree + 7, 255, HomomorphicError.SealSize)]
    [InlineData(Limbs, 1, HomomorphicError.SealSize)]
    [InlineData(Limbs, 3, HomomorphicError.SealSize)]
    [InlineData(Scale + 7, 0x40, HomomorphicError.SealScale)]
    [InlineData(Scale, 1, HomomorphicError.SealScale)]
    [InlineData(Correction, 0, HomomorphicError.SealScale)]
    [InlineData(Correction, 2, HomomorphicError.SealScale)]
    [InlineData(Residues, 0, HomomorphicError.SealHeader)]
    [InlineData(Residues + 4, 0, HomomorphicError.SealVersion)]
    [InlineData(Residues + 5, 1, HomomorphicError.SealCompression)]
    [InlineData(Residues + 8, 1, HomomorphicError.SealTruncated)]
    [InlineData(Residues + 15, 255, HomomorphicError.SealTruncated)]
    [InlineData(Count, 1, HomomorphicError.SealCount)]
    [InlineData(Count + 7, 255, HomomorphicError.SealCount)]
    [InlineData(Words + 7, 255, HomomorphicError.SealResidue)]
    [InlineData(Words + 5, 0xFF, HomomorphicError.SealResidue)]
    public void A_byte_that_is_wrong_is_refused_by_its_field(int at, int value, HomomorphicError error)
    {
        byte[] changed = [.. _ciphertext];
        changed[at] = (byte)value;
        Assert.Equal(error, Assert.Throws<HomomorphicException>(() => SealFormat.ReadCiphertext(changed, _parameters, out _)).Error);
    }

    [Fact]
    public void Every_residue_is_checked_against_its_own_modulus()
    {
        int limb = 8 * _parameters.Ring.Degree;
        for (int i = 0; i < 4; i++)
        {
            byte[] changed = [.. _ciphertext];
            Span<byte> word = changed.AsSpan(Words + (i + 1) * limb - 8, 8);
            ulong modulus = _parameters.Basis.Moduli[i % 2].Value;
            BinaryPrimitives.WriteUInt64LittleEndian(word, modulus - 1);
            SealFormat.ReadCiphertext(changed, _parameters, out _).Dispose();
            foreach (ulong outside in (ulong[])[modulus, 1UL << 49, 1UL << 63, (1UL << 63) + 5, ulong.MaxValue])
            {
                BinaryPrimitives.WriteUInt64LittleEndian(word, outside);
                Assert.Equal(HomomorphicError.SealResidue, Refusal(changed));
            }
        }
    }

    [Fact]
    public void Ends_and_trailing_bytes_are_refused()
    {
        foreach (byte[] whole in (byte[][])[_ciphertext, _seeded])
        {
            foreach (int length in (int[])[0, 1, 15, 16, 47, 48, 88, 89, 104, 112, 113, whole.Length - 1])
            {
                Assert.Equal(HomomorphicError.SealTruncated, Refusal(whole[..length]));
                if (length < SealHeader.Bytes) continue;
                byte[] cut = whole[..length];
                BinaryPrimitives.WriteInt64LittleEndian(cut.AsSpan(8), length);
                Assert.Equal(HomomorphicError.SealTruncated, Refusal(cut));
            }
            Assert.Equal(HomomorphicError.SealTrailing, Refusal([.. whole, 0]));
            byte[] longer = [.. whole, 0];
            BinaryPrimitives.WriteInt64LittleEndian(longer.AsSpan(8), longer.Length);
            Assert.Equal(HomomorphicError.SealTrailing, Refusal(longer));
        }
    }

    [Fact]
    public void Seeds_are_of_a_known_generator_and_have_64_bytes()
    {
        int seed = _seeded.Length - SealSeed.InfoBytes;
        foreach (byte generator in (byte[])[0, 3, 255])
        {
            byte[] changed = [.. _seeded];
            changed[seed + SealHeader.Bytes] = generator;
            Assert.Equal(HomomorphicError.SealGenerator, Refusal(changed));
        }
        byte[] shorter = _seeded[..^1];
        BinaryPrimitives.WriteInt64LittleEndian(shorter.AsSpan(8), shorter.Length);
        BinaryPrimitives.WriteInt64LittleEndian(shorter.AsSpan(seed + 8), SealSeed.InfoBytes - 1);
        Assert.Equal(HomomorphicError.SealTruncated, Refusal(shorter));
    }

    [Fact]
    public void What_is_zero_but_for_its_first_polynomial_is_refused()
    {
        int polynomial = _parameters.Basis.Count * 8 * _parameters.Ring.Degree;
        byte[] transparent = [.. _ciphertext];
        transparent.AsSpan(Words + polynomial).Clear();
        Assert.Equal(HomomorphicError.SealTransparent, Refusal(transparent));
        byte[] oneLimb = [.. _ciphertext];
        oneLimb.AsSpan(Words + polynomial, polynomial / 2).Clear();
        Assert.Equal(HomomorphicError.SealTransparent, Refusal(oneLimb));

        byte[] open = SealFormat.WritePublicKey(_open, Version);
        open.AsSpan(Words + 3 * 8 * _parameters.Ring.Degree).Clear();
        Assert.Equal(HomomorphicError.SealTransparent, Assert.Throws<HomomorphicException>(() => SealFormat.ReadPublicKey(open, _parameters, out _)).Error);
    }

    [Fact]
    public void Levels_and_forms_belong_to_their_kind()
    {
        byte[] open = SealFormat.WritePublicKey(_open, Version);
        Assert.Equal(HomomorphicError.SealLevel, Refusal(open));
        Assert.Equal(HomomorphicError.SealLevel, Assert.Throws<HomomorphicException>(() => SealFormat.ReadPublicKey(_ciphertext, _parameters, out _)).Error);
        open[Form] = 0;
        Assert.Equal(HomomorphicError.SealForm, Assert.Throws<HomomorphicException>(() => SealFormat.ReadPublicKey(open, _parameters, out _)).Error);

        RlweParameters other = RlweParameters.Create(RingParameters.Create(4096, (ReadOnlySpan<int>)[45, 45, 16]), 65539, 1);
        HomomorphicException refusal = Assert.Throws<HomomorphicException>(() => SealFormat.ReadCiphertext(_ciphertext, other, out _));
        Assert.Equal(HomomorphicError.SealParametersId, refusal.Error);
        Assert.Contains("65539", refusal.Message);
    }

    [Fact]
    public void Inflation_ends_at_the_size_that_is_due_and_at_the_end_of_the_data()
    {
        byte[] members = [.. _ciphertext[SealHeader.Bytes..]];
        Assert.Equal(Version, Read(Compressed(members)));
        Assert.Equal(HomomorphicError.SealTrailing, Refusal(Compressed([.. members, 0])));
        Assert.Equal(HomomorphicError.SealInflation, Refusal(Compressed([.. members, .. new byte[64 << 20]])));
        Assert.Equal(HomomorphicError.SealTruncated, Refusal(Compressed(members[..^1])));
        byte[] compressed = Compressed(members);
        Assert.Equal(HomomorphicError.SealTrailing, Refusal(Resized([.. compressed, 0])));
        Assert.Equal(HomomorphicError.SealTrailing, Refusal(Resized([.. compressed, .. compressed[SealHeader.Bytes..]])));
        Assert.Equal(HomomorphicError.SealInflation, Refusal(Resized(compressed[..^1])));
        Assert.Equal(HomomorphicError.SealInflation, Refusal(Resized(compressed[..(compressed.Length / 2)])));
        Assert.Equal(HomomorphicError.SealInflation, Refusal(Resized(compressed[..SealHeader.Bytes])));
        compressed[^1] ^= 1; // the checksum
        Assert.Equal(HomomorphicError.SealInflation, Refusal(compressed));
    }

    [Fact]
    public void A_secret_key_is_one_ternary_polynomial_modulo_every_prime()
    {
        byte[] bytes = SealFormat.WriteSecretKey(_secret, Version);
        SealFormat.ReadSecretKey(bytes, _parameters, out _).Dispose();
        int words = bytes.Length - 8 * 3 * _parameters.Ring.Degree;
        byte[] changed = [.. bytes];
        changed[words] ^= 1;
        Assert.Equal(HomomorphicError.SealSecret, Secret(changed));
        using SecretKey other = SecretKey.Generate(_parameters);
        byte[] mixed = SealFormat.WriteSecretKey(other, Version);
        bytes.AsSpan(words, 8 * _parameters.Ring.Degree).CopyTo(mixed.AsSpan(words));
        Assert.Equal(HomomorphicError.SealSecret, Secret(mixed));
        bytes.AsSpan(words + 7, 1).Fill(255);
        Assert.Equal(HomomorphicError.SealResidue, Secret(bytes));

        HomomorphicError Secret(byte[] source) => Assert.Throws<HomomorphicException>(() => SealFormat.ReadSecretKey(source, _parameters, out _)).Error;
    }

    [Fact]
    public void Messages_have_coefficients_below_t_and_no_more_than_n()
    {
        const int CountAt = 48, WordsAt = 88;
        byte[] bytes = SealFormat.WritePlaintext([1, 2, 65536], _parameters, Version);
        Assert.Equal([1, 2, 65536, .. new ulong[4093]], SealFormat.ReadPlaintext(bytes, _parameters, out _));
        foreach ((int at, byte value, HomomorphicError error) in (ReadOnlySpan<(int, byte, HomomorphicError)>)
            [(16, 1, HomomorphicError.SealForm), (CountAt, 2, HomomorphicError.SealCount), (CountAt + 1, 17, HomomorphicError.SealSize), (CountAt + 8, 1, HomomorphicError.SealScale),
                (WordsAt + 16, 1, HomomorphicError.SealResidue), (WordsAt + 7, 255, HomomorphicError.SealResidue)])
        {
            byte[] changed = [.. bytes];
            changed[at] = value;
            Assert.Equal(error, Assert.Throws<HomomorphicException>(() => SealFormat.ReadPlaintext(changed, _parameters, out _)).Error);
        }
        Assert.Throws<ArgumentException>(() => SealFormat.WritePlaintext([65537], _parameters, Version));
        Assert.Throws<ArgumentException>(() => SealFormat.WritePlaintext(new ulong[4097], _parameters, Version));
    }

    [Fact]
    public void Parameters_are_BFV_of_a_known_size_and_secure_where_they_are_used()
    {
        byte[] bytes = SealParameters.Of(_parameters).Write(Version);
        foreach ((int at, byte value, HomomorphicError error) in (ReadOnlySpan<(int, byte, HomomorphicError)>)
            [(16, 2, HomomorphicError.SealScheme), (17, 1, HomomorphicError.SealSize), (18, 2, HomomorphicError.SealSize), (18, 17, HomomorphicError.SealSize), (25, 0, HomomorphicError.SealSize), (25, 41, HomomorphicError.SealSize), (25, 4, HomomorphicError.SealTruncated),
                (25, 2, HomomorphicError.SealTrailing), (33, 0, HomomorphicError.SealHeader)])
        {
            byte[] changed = [.. bytes];
            changed[at] = value;
            Assert.Equal(error, Assert.Throws<HomomorphicException>(() => SealParameters.Read(changed, out _)).Error);
        }
        bytes[18] = 8; // degree 2048 with a chain for 4096: SEAL's objects say it, the security tables refuse it
        Assert.Equal(HomomorphicError.InsecureParameters, Assert.Throws<HomomorphicException>(() => SealParameters.Read(bytes, out _).ToRlwe()).Error);
        Assert.Throws<ArgumentException>(() => SealParameters.Of(RlweParameters.Create(RingParameters.Standard(4096), 65537)));
        Assert.Throws<ArgumentException>(() => SealParameters.Of(_parameters).Write(new SealVersion(3, 7)));
    }

    [Fact]
    public void Switching_keys_are_complete_and_no_more_than_allowed()
    {
        const int Places = 48, FirstParts = 56;
        using RelinearizationKey relin = RelinearizationKey.Of(_secret);
        using GaloisKeys galois = GaloisKeys.Of(_secret, [1, 2, 3]);
        byte[] relinBytes = SealFormat.WriteRelinearizationKey(relin, Version), galoisBytes = SealFormat.WriteGaloisKeys(galois, Version);
        Assert.Equal(HomomorphicError.SealSwitchingKeys, Relin(relinBytes, Places, 2));
        Assert.Equal(HomomorphicError.SealTrailing, Relin(relinBytes, Places, 0));
        Assert.Equal(HomomorphicError.SealSwitchingKeys, Relin(relinBytes, FirstParts, 1));
        Assert.Equal(HomomorphicError.SealSwitchingKeys, Relin(relinBytes, FirstParts + 7, 255));
        Assert.Equal(HomomorphicError.SealParametersId, Relin(relinBytes, ParmsId, 0x77));
        Assert.Equal(HomomorphicError.SealHeader, Relin(relinBytes, FirstParts + 8, 0));
        Assert.Equal(HomomorphicError.SealSwitchingKeys, Assert.Throws<HomomorphicException>(() => SealFormat.ReadRelinearizationKey(galoisBytes, _parameters, out _)).Error);
        Assert.Equal(HomomorphicError.SealSwitchingKeys, Assert.Throws<HomomorphicException>(() => SealFormat.ReadGaloisKeys(galoisBytes, _parameters, out _, maximumKeys: 2)).Error);
        using GaloisKeys read = SealFormat.ReadGaloisKeys(galoisBytes, _parameters, out _, maximumKeys: 3);
        Assert.Equal(galois.Elements, read.Elements);
        Assert.Throws<ArgumentException>(() => SealFormat.NewObject(SealFormat.MaximumBytes + 1L, Version));
        RlweParameters single = SealChain.Linear.Parameters();
        Assert.Equal(HomomorphicError.NoSpecialModulus, Assert.Throws<HomomorphicException>(() => SealFormat.ReadRelinearizationKey(relinBytes, single, out _)).Error);

        HomomorphicError Relin(byte[] valid, int at, byte value)
        {
            byte[] changed = [.. valid];
            changed[at] = value;
            return Assert.Throws<HomomorphicException>(() => SealFormat.ReadRelinearizationKey(changed, _parameters, out _)).Error;
        }
    }

    private static byte[] Compressed(byte[] members)
    {
        using var stream = new MemoryStream();
        stream.Write(new byte[SealHeader.Bytes]);
        using (var deflate = new ZLibStream(stream, CompressionLevel.Fastest, leaveOpen: true)) deflate.Write(members);
        byte[] whole = stream.ToArray();
        new SealHeader(Version, SealCompression.Zlib, whole.Length).Write(whole);
        return whole;
    }

    private static byte[] Resized(byte[] whole)
    {
        BinaryPrimitives.WriteInt64LittleEndian(whole.AsSpan(8), whole.Length);
        return whole;
    }

    private SealVersion Read(byte[] bytes)
    {
        SealFormat.ReadCiphertext(bytes, _parameters, out SealVersion version).Dispose();
        return version;
    }

    private HomomorphicError Refusal(byte[] bytes) => Assert.Throws<HomomorphicException>(() => SealFormat.ReadCiphertext(bytes, _parameters, out _)).Error;
}

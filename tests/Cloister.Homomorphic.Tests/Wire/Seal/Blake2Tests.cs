using System.Security.Cryptography;
using System.Text;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Wire.Seal;

namespace Cloister.Homomorphic.Tests.Wire.Seal;

public sealed class Blake2Tests
{
    [Theory] // RFC 7693 appendix A, the reference's blake2b-kat (unkeyed and keyed, input 00 01 02 ...), and BLAKE2b-256.
    [InlineData("abc", "", 64, "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923")]
    [InlineData("", "", 64, "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce")]
    [InlineData("", "", 32, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8")]
    public void Blake2b_gives_the_published_hashes(string message, string key, int length, string expected)
    {
        byte[] hash = new byte[length];
        Blake2b.Hash(Encoding.ASCII.GetBytes(message), hash, Encoding.ASCII.GetBytes(key));
        Assert.Equal(expected, Convert.ToHexStringLower(hash));
    }

    [Theory]
    [InlineData(0, "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568")]
    [InlineData(255, "142709d62e28fcccd0af97fad0f8465b971e82201dc51070faa0372aa43e92484be1c1e73ba10906d5d1853db6a4106e0a7bf9800d373d6dee2d46d62ef2a461")]
    public void Blake2b_gives_the_published_keyed_hashes(int length, string expected)
    {
        byte[] hash = new byte[64];
        Blake2b.Hash(Counting(length), hash, Counting(64));
        Assert.Equal(expected, Convert.ToHexStringLower(hash));
    }

    [Fact] // RFC 7693 appendix E: hashes of many lengths of input, key and output, hashed once more.
    public void Blake2b_passes_the_self_test_of_the_RFC()
    {
        var all = new List<byte>();
        foreach (int length in (int[])[20, 32, 48, 64])
        {
            foreach (int input in (int[])[0, 3, 128, 129, 255, 1024])
            {
                byte[] hash = new byte[length], message = Sequence(input, (uint)input);
                Blake2b.Hash(message, hash);
                all.AddRange(hash);
                Blake2b.Hash(message, hash, Sequence(length, (uint)length));
                all.AddRange(hash);
            }
        }
        byte[] whole = new byte[32];
        Blake2b.Hash([.. all], whole);
        Assert.Equal("c23a7800d98123bd10f506c61e29da5603d763b8bbad2e737f5e765a7bccd475", Convert.ToHexStringLower(whole));
    }

    [Theory] // The reference's blake2-kat: SHA-256 over the outputs of 1 to 256 bytes for the input 00 01 ... ff.
    [InlineData(0, "8283c95c077bc1a508d5e5d3361b6a2f260fa9fb72187a02bd1016185927a4ca")]
    [InlineData(64, "7ae7aa88bcdb15c28e05d22b334cd653ba9fd3c5478ab3fbfde0340d31781bd7")]
    public void Blake2Xb_gives_the_published_outputs(int keyLength, string expected)
    {
        foreach (VectorWidth width in Enum.GetValues<VectorWidth>())
        {
            using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (int length = 1; length <= 256; length++)
            {
                byte[] output = new byte[length];
                Blake2Xb.Hash(Counting(256), Counting(keyLength), output, width);
                digest.AppendData(output);
            }
            Assert.Equal(expected, Convert.ToHexStringLower(digest.GetHashAndReset()));
        }
    }

    [Theory]
    [InlineData(1), InlineData(63), InlineData(64), InlineData(65), InlineData(256), InlineData(511), InlineData(512), InlineData(4096), InlineData(4097)]
    public void Blake2Xb_is_the_same_at_every_width(int length)
    {
        byte[] scalar = new byte[length], wide = new byte[length];
        Blake2Xb.Hash(Counting(8), Counting(64), scalar, VectorWidth.Scalar);
        foreach (VectorWidth width in (VectorWidth[])[VectorWidth.Wide256, VectorWidth.Wide512])
        {
            Blake2Xb.Hash(Counting(8), Counting(64), wide, width);
            Assert.Equal(scalar, wide);
        }
    }

    private static byte[] Counting(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)i)];

    // The RFC's generator of test input.
    private static byte[] Sequence(int length, uint seed)
    {
        uint a = unchecked(0xDEAD4BAD * seed), b = 1;
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            uint t = unchecked(a + b);
            (a, b) = (b, t);
            bytes[i] = (byte)(t >> 24);
        }
        return bytes;
    }
}

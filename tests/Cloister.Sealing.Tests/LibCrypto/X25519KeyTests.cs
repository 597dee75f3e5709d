namespace Cloister.Sealing.Tests.LibCrypto;

public class X25519KeyTests
{
    [Fact]
    public void Rfc7748Section61Agrees()
    {
        using X25519Key bob = X25519Key.Import(Convert.FromHexString("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
        Assert.Equal("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", Convert.ToHexStringLower(bob.PublicKey));
        byte[] secret = new byte[32];
        bob.Agree(Convert.FromHexString("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"), secret);
        Assert.Equal("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", Convert.ToHexStringLower(secret));
    }

    [Fact]
    public void Rfc7748Section52IteratesAThousandTimes()
    {
        byte[] k = new byte[32], u = new byte[32];
        k[0] = u[0] = 9;
        for (int i = 1; i <= 1000; i++)
        {
            byte[] next = new byte[32];
            using X25519Key key = X25519Key.Import(k);
            key.Agree(u, next);
            (k, u) = (next, k);
            if (i == 1)
                Assert.Equal("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079", Convert.ToHexStringLower(k));
        }
        Assert.Equal("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51", Convert.ToHexStringLower(k));
    }

    // The points of order 1, 2, 4 and 8, and those of them that are not reduced modulo 2^255 - 19.
    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")]
    [InlineData("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    public void LowOrderPeersAreRefused(string peer)
    {
        using X25519Key key = X25519Key.Generate();
        byte[] secret = new byte[32];
        SealingException refused = Assert.Throws<SealingException>(() => key.Agree(Convert.FromHexString(peer), secret));
        Assert.Equal(SealingError.WeakSharedSecret, refused.Error);
        Assert.All(secret, x => Assert.Equal(0, x));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void OtherLengthsAreRefused(int length)
    {
        Assert.Equal(SealingError.InvalidPrivateKey, Assert.Throws<SealingException>(() => X25519Key.Import(new byte[length])).Error);
        using X25519Key key = X25519Key.Generate();
        Assert.Equal(SealingError.InvalidPublicKey, Assert.Throws<SealingException>(() => key.Agree(new byte[length], new byte[32])).Error);
        Assert.Throws<ArgumentException>(() => key.Agree(new byte[32], new byte[length]));
    }

    [Fact]
    public void TwoFreshKeysAgreeAndSurviveExport()
    {
        using X25519Key a = X25519Key.Generate(), b = X25519Key.Generate();
        Assert.False(a.PublicKey.SequenceEqual(b.PublicKey));
        using SecretBytes raw = a.Export();
        using X25519Key again = X25519Key.Import(raw.Span);
        byte[] one = new byte[32], two = new byte[32];
        again.Agree(b.PublicKey, one);
        b.Agree(a.PublicKey, two);
        Assert.Equal(one, two);
    }
}

namespace Cloister.Sealing.Tests.LibCrypto;

public class Ed25519KeyTests
{
    // RFC 8032, 7.1, tests 1 to 3: no message, one byte, two bytes.
    [Theory]
    [InlineData("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")]
    [InlineData("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")]
    [InlineData("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")]
    public void Rfc8032Vectors(string seed, string publicKey, string message, string signature)
    {
        using Ed25519Key key = Ed25519Key.Import(Convert.FromHexString(seed));
        Assert.Equal(publicKey, Convert.ToHexStringLower(key.PublicKey));
        Assert.Equal(signature, Convert.ToHexStringLower(key.Sign(Convert.FromHexString(message))));
        Assert.True(Ed25519Key.Verify(key.PublicKey, Convert.FromHexString(message), Convert.FromHexString(signature)));
    }

    [Fact]
    public void Rfc8410ExampleRoundTrips()
    {
        byte[] pkcs8 = Convert.FromBase64String("MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC");
        byte[] spki = Convert.FromBase64String("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
        using Ed25519Key key = Ed25519Key.ImportPkcs8(pkcs8);
        Assert.Equal(spki, key.ExportSpki());
        using SecretBytes exported = key.ExportPkcs8();
        Assert.Equal(pkcs8, exported.Span.ToArray());
        Assert.True(Ed25519Key.PublicKeyOf(spki).SequenceEqual(key.PublicKey));
    }

    [Fact]
    public void EveryFlippedBitOfASignatureIsRefused()
    {
        using Ed25519Key key = Ed25519Key.Generate();
        byte[] message = "a message"u8.ToArray(), signature = key.Sign(message), publicKey = key.PublicKey.ToArray();
        for (int bit = 0; bit < signature.Length * 8; bit++)
        {
            byte[] changed = [.. signature];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(Ed25519Key.Verify(publicKey, message, changed), $"bit {bit}");
        }
        Assert.False(Ed25519Key.Verify(publicKey, "another"u8, signature));
        Assert.False(Ed25519Key.Verify(publicKey, message, signature.AsSpan(1)));
        Assert.False(Ed25519Key.Verify(publicKey, message, [.. signature, 0]));
    }

    [Fact]
    public void SignatureWithSAboveTheOrderIsRefused()
    {
        using Ed25519Key key = Ed25519Key.Generate();
        byte[] signature = key.Sign("m"u8);
        // S + L verifies in the equation, and would be a second signature (RFC 8032, 5.1.7 forbids it).
        byte[] order = Convert.FromHexString("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        int carry = 0;
        for (int i = 0; i < 32; i++)
        {
            carry += signature[32 + i] + order[i];
            signature[32 + i] = (byte)carry;
            carry >>= 8;
        }
        Assert.False(Ed25519Key.Verify(key.PublicKey, "m"u8, signature));
    }

    [Fact]
    public void OtherLengthsAndEncodingsAreRefused()
    {
        Assert.Equal(SealingError.InvalidPrivateKey, Assert.Throws<SealingException>(() => Ed25519Key.Import(new byte[31])).Error);
        Assert.Equal(SealingError.InvalidPrivateKey, Assert.Throws<SealingException>(() => Ed25519Key.ImportPkcs8(new byte[48])).Error);
        Assert.Equal(SealingError.InvalidPublicKey, Assert.Throws<SealingException>(() => Ed25519Key.PublicKeyOf(new byte[44]).Length).Error);
        Assert.Throws<ArgumentException>(() => Ed25519Key.Verify(new byte[31], default, new byte[64]));
    }

    [Fact]
    public void KeysWorkOnManyThreadsAtOnce()
    {
        using Ed25519Key key = Ed25519Key.Generate();
        byte[] publicKey = key.PublicKey.ToArray();
        Parallel.For(0, 200, i =>
        {
            byte[] message = BitConverter.GetBytes(i);
            Assert.True(Ed25519Key.Verify(publicKey, message, key.Sign(message)));
        });
    }
}

namespace Cloister.Sealing.Tests.Hpke;

public class HpkeTests
{
    public static TheoryData<HpkeKem, HpkeAead> Suites
    {
        get
        {
            var suites = new TheoryData<HpkeKem, HpkeAead>();
            foreach (HpkeKem kem in Enum.GetValues<HpkeKem>())
            {
                foreach (HpkeAead aead in new[] { HpkeAead.Aes128Gcm, HpkeAead.Aes256Gcm, HpkeAead.ChaCha20Poly1305 })
                    suites.Add(kem, aead);
            }
            return suites;
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void MessagesOpenInTheirOrderAndOnlyUnchanged(HpkeKem kem, HpkeAead aead)
    {
        var suite = new HpkeSuite(kem, aead);
        using HpkePrivateKey key = HpkePrivateKey.Generate(kem);
        using HpkeSender sender = HpkeSender.Setup(suite, key.PublicKey.Span, "info"u8);
        using HpkeRecipient recipient = HpkeRecipient.Setup(suite, key, sender.Encapsulation.Span, "info"u8);
        byte[] first = sender.Seal("a"u8, "one"u8), second = sender.Seal("a"u8, []);
        Assert.Equal(19, first.Length);

        Refused(SealingError.HpkeCiphertext, () => recipient.Open("a"u8, second));
        Refused(SealingError.HpkeCiphertext, () => recipient.Open("b"u8, first));
        Refused(SealingError.HpkeCiphertext, () => recipient.Open("a"u8, first.AsSpan(1)));
        Refused(SealingError.HpkeCiphertext, () => recipient.Open("a"u8, first.AsSpan(0, 15)));
        for (int i = 0; i < first.Length; i++)
        {
            byte[] changed = [.. first];
            changed[i] ^= 1;
            Refused(SealingError.HpkeCiphertext, () => recipient.Open("a"u8, changed));
        }
        Assert.Equal("one"u8.ToArray(), recipient.Open("a"u8, first)); // the refused ones did not count
        Refused(SealingError.HpkeCiphertext, () => recipient.Open("a"u8, first));
        Assert.Empty(recipient.Open("a"u8, second));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void AnotherKeyInfoOrSuiteGivesAnotherContext(HpkeKem kem, HpkeAead aead)
    {
        var suite = new HpkeSuite(kem, aead);
        using HpkePrivateKey key = HpkePrivateKey.Generate(kem), foreign = HpkePrivateKey.Generate(kem);
        using HpkeSender sender = HpkeSender.Setup(suite, key.PublicKey.Span, "info"u8);
        byte[] message = sender.Seal([], "text"u8);
        using HpkeRecipient otherKey = HpkeRecipient.Setup(suite, foreign, sender.Encapsulation.Span, "info"u8);
        using HpkeRecipient otherInfo = HpkeRecipient.Setup(suite, key, sender.Encapsulation.Span, "other"u8);
        using HpkeRecipient otherSuite = HpkeRecipient.Setup(suite with { Aead = aead == HpkeAead.Aes128Gcm ? HpkeAead.Aes256Gcm : HpkeAead.Aes128Gcm }, key, sender.Encapsulation.Span, "info"u8);
        foreach (HpkeRecipient recipient in new[] { otherKey, otherInfo, otherSuite })
            Refused(SealingError.HpkeCiphertext, () => recipient.Open([], message));
        using HpkeSender again = HpkeSender.Setup(suite, key.PublicKey.Span, "info"u8);
        Assert.NotEqual(sender.Encapsulation.ToArray(), again.Encapsulation.ToArray());
    }

    [Fact]
    public void SequenceNumbersNeverWrap()
    {
        var suite = new HpkeSuite(HpkeKem.P256, HpkeAead.Aes256Gcm);
        using HpkePrivateKey key = HpkePrivateKey.Generate(HpkeKem.P256);
        using HpkeSender sender = HpkeSender.Setup(suite, key.PublicKey.Span, []);
        using HpkeRecipient recipient = HpkeRecipient.Setup(suite, key, sender.Encapsulation.Span, []);
        sender.Context.Sequence = recipient.Context.Sequence = ulong.MaxValue - 1;
        Assert.Equal("last"u8.ToArray(), recipient.Open([], sender.Seal([], "last"u8)));
        Refused(SealingError.HpkeMessageLimit, () => sender.Seal([], "one more"u8));
        Refused(SealingError.HpkeMessageLimit, () => recipient.Open([], new byte[16]));
    }

    [Fact]
    public void BadPublicKeysAreRefused()
    {
        var x25519 = new HpkeSuite(HpkeKem.X25519, HpkeAead.Aes256Gcm);
        var p256 = new HpkeSuite(HpkeKem.P256, HpkeAead.Aes256Gcm);
        Refused(SealingError.WeakSharedSecret, () => HpkeSender.Setup(x25519, new byte[32], []));
        Refused(SealingError.InvalidPublicKey, () => HpkeSender.Setup(x25519, new byte[31], []));
        Refused(SealingError.InvalidPublicKey, () => HpkeSender.Setup(p256, new byte[65], []));
        Refused(SealingError.InvalidPublicKey, () => HpkeSender.Setup(p256, [4, .. new byte[64]], []));
        Refused(SealingError.InvalidPublicKey, () => HpkeSender.Setup(p256, [], []));
        using HpkePrivateKey key = HpkePrivateKey.Generate(HpkeKem.P256);
        byte[] offCurve = key.PublicKey.ToArray();
        offCurve[64] ^= 1;
        Refused(SealingError.InvalidPublicKey, () => HpkeSender.Setup(p256, offCurve, []));
        Refused(SealingError.InvalidPublicKey, () => HpkeRecipient.Setup(p256, key, offCurve, []));
        byte[] compressed = [2, .. key.PublicKey.Span[1..33]];
        Refused(SealingError.InvalidPublicKey, () => HpkeSender.Setup(p256, compressed, []));
        Assert.Throws<ArgumentException>(() => HpkeRecipient.Setup(x25519, key, new byte[32], []));
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")]
    [InlineData("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
    [InlineData("01")]
    public void P256PrivateKeysOutsideTheRangeAreRefused(string hex) =>
        Refused(SealingError.InvalidPrivateKey, () => HpkePrivateKey.Import(HpkeKem.P256, Convert.FromHexString(hex)));

    [Theory]
    [InlineData(HpkeKem.P256)]
    [InlineData(HpkeKem.X25519)]
    public void PrivateKeysSurviveExportAndStaySecret(HpkeKem kem)
    {
        using HpkePrivateKey key = HpkePrivateKey.Generate(kem);
        using SecretBytes raw = key.Export();
        using HpkePrivateKey again = HpkePrivateKey.Import(kem, raw.Span);
        Assert.Equal(key.PublicKey.ToArray(), again.PublicKey.ToArray());
        Assert.Equal($"HpkePrivateKey({kem})", key.ToString());
    }

    [Fact]
    public void ExportOnlyContextsOnlyExport()
    {
        var suite = new HpkeSuite(HpkeKem.X25519, HpkeAead.ExportOnly);
        using HpkePrivateKey key = HpkePrivateKey.Generate(HpkeKem.X25519);
        using HpkeSender sender = HpkeSender.Setup(suite, key.PublicKey.Span, []);
        Assert.Throws<InvalidOperationException>(() => sender.Seal([], []));
        using SecretBytes none = sender.Export("context"u8, 0), most = sender.Export("context"u8, 8160);
        Assert.Equal((0, 8160), (none.Length, most.Length));
        Assert.Throws<ArgumentOutOfRangeException>(() => sender.Export("context"u8, 8161));
    }

    [Fact]
    public void UndefinedSuitesAreTheCallersMistake()
    {
        using HpkePrivateKey key = HpkePrivateKey.Generate(HpkeKem.P256);
        Assert.ThrowsAny<ArgumentException>(() => HpkePrivateKey.Generate((HpkeKem)99));
        Assert.ThrowsAny<ArgumentException>(() => HpkeSender.Setup(new HpkeSuite(HpkeKem.P256, (HpkeAead)99), key.PublicKey.Span, []));
    }

    [Fact]
    public void MutatedMessagesAreRefusedAsDocumented()
    {
        foreach (HpkeKem kem in Enum.GetValues<HpkeKem>())
        {
            using HpkePrivateKey key = HpkePrivateKey.Derive(kem, HpkeRecipient.FuzzKey);
            using HpkeSender sender = HpkeSender.Setup(new HpkeSuite(kem, HpkeAead.Aes256Gcm), key.PublicKey.Span, []);
            byte[] valid = [.. sender.Encapsulation.Span, .. sender.Seal([], "text"u8)];
            foreach (byte[] bytes in Mutations.Of(valid, 3, 500))
                HpkeRecipient.Fuzz(bytes);
        }
    }

    private static void Refused(SealingError error, Func<object> action) => Assert.Equal(error, Assert.Throws<SealingException>(action).Error);
}

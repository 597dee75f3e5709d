using System.Security.Cryptography;

namespace Cloister.Sealing.Tests.Keys;

public class KeyWrapTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(32)]
    [InlineData(100_003)]
    public void UnwrapsWhatItWrapped(int length)
    {
        byte[] plaintext = RandomNumberGenerator.GetBytes(length);
        byte[] wrapped = KeyWrap.Wrap(Key, plaintext, "here"u8);
        Assert.Equal(length + KeyWrap.Overhead, wrapped.Length);
        Assert.True(KeyWrap.TryUnwrap(Key, wrapped, "here"u8, out byte[]? opened));
        Assert.Equal(plaintext, opened);
        Assert.NotEqual(wrapped, KeyWrap.Wrap(Key, plaintext, "here"u8));
    }

    [Fact]
    public void EveryChangeIsRefused()
    {
        byte[] wrapped = KeyWrap.Wrap(Key, "secret"u8, "here"u8);
        for (int bit = 0; bit < wrapped.Length * 8; bit++)
        {
            byte[] changed = [.. wrapped];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(KeyWrap.TryUnwrap(Key, changed, "here"u8, out byte[]? none), $"bit {bit}");
            Assert.Null(none);
        }
        for (int length = 0; length < wrapped.Length; length++)
            Assert.False(KeyWrap.TryUnwrap(Key, wrapped.AsSpan(0, length), "here"u8, out _), $"length {length}");
        Assert.False(KeyWrap.TryUnwrap(Key, [.. wrapped, 0], "here"u8, out _));
        Assert.False(KeyWrap.TryUnwrap(Key, wrapped, "there"u8, out _));
        Assert.False(KeyWrap.TryUnwrap(Key, wrapped, default, out _));
        Assert.False(KeyWrap.TryUnwrap(new byte[32], wrapped, "here"u8, out _));
    }

    [Fact]
    public void KeysOfOtherLengthsAreTheCallersMistake()
    {
        Assert.Throws<ArgumentException>(() => KeyWrap.Wrap(new byte[16], [], default));
        Assert.Throws<ArgumentException>(() => KeyWrap.TryUnwrap(new byte[33], [], default, out _));
    }

    // The layout is frozen in docs/formats/key-wrap.md: a change of this digest is a change of format and needs a new version.
    [Fact]
    public void LayoutIsFrozen()
    {
        byte[] wrapped = KeyWrap.Wrap(Key, "frozen"u8, "record"u8, [.. Enumerable.Range(100, 32).Select(i => (byte)i)]);
        Assert.Equal("6223f35be8e78e8ff961a38b6db4ccee5cb1627100ac3c2e286dbab1c416f99d", Convert.ToHexStringLower(SHA256.HashData(wrapped)));
    }

    [Fact]
    public void MutatedValuesAreRefused()
    {
        foreach (byte[] bytes in Mutations.Of(KeyWrap.Wrap(new byte[32], "text"u8, default), 4, 3000))
            KeyWrap.Fuzz(bytes);
    }
}

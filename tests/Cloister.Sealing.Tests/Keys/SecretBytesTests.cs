namespace Cloister.Sealing.Tests.Keys;

public class SecretBytesTests
{
    [Fact]
    public void CopiesAreIndependentAndZeroedAtTheEnd()
    {
        byte[] source = [1, 2, 3];
        var secret = SecretBytes.Copy(source);
        source[0] = 9;
        ReadOnlyMemory<byte> seen = secret.Memory;
        Assert.Equal([1, 2, 3], secret.Span.ToArray());
        Assert.Equal("SecretBytes(3)", $"{secret}");
        secret.Dispose();
        Assert.Equal([0, 0, 0], seen.ToArray());
        Assert.Throws<ObjectDisposedException>(() => secret.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => secret.Memory);
        secret.Dispose();
    }

    [Fact]
    public void RandomSecretsDiffer()
    {
        using SecretBytes a = SecretBytes.Random(32), b = SecretBytes.Random(32);
        Assert.False(a.Span.SequenceEqual(b.Span));
        Assert.Throws<ArgumentOutOfRangeException>(() => SecretBytes.Random(0));
    }
}

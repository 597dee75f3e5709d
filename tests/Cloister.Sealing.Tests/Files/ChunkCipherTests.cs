namespace Cloister.Sealing.Tests.Files;

public class ChunkCipherTests
{
    [Fact]
    public void AChunkOpensOnlyInItsPlace()
    {
        byte[] fileKey = [.. Sample.Key], header = new byte[32], otherHeader = new byte[32];
        otherHeader[0] = 1;
        using var cipher = new ChunkCipher(fileKey, header);
        using var otherFile = new ChunkCipher(fileKey, otherHeader);
        byte[] sealedChunk = new byte[3 + SealedFormat.TagSize], plaintext = new byte[3];
        cipher.Seal(5, last: false, "abc"u8, sealedChunk);

        cipher.Open(5, last: false, sealedChunk, plaintext);
        Assert.Equal("abc"u8.ToArray(), plaintext);
        foreach ((ChunkCipher opener, long index, bool last) in new[] { (cipher, 4L, false), (cipher, 6L, false), (cipher, 5L, true), (otherFile, 5L, false), (cipher, 5L + (1L << 32), false) })
        {
            Assert.Equal(SealingError.ChunkTag, Assert.Throws<SealingException>(() => opener.Open(index, last, sealedChunk, plaintext)).Error);
            Assert.Equal([0, 0, 0], plaintext);
        }
    }
}

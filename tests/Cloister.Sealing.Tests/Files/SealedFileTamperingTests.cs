namespace Cloister.Sealing.Tests.Files;

/// <summary>What a store, a key holder or a foreign maker may do to a sealed file, and the number it is refused with.</summary>
public class SealedFileTamperingTests
{
    private const int Chunk = SealedFormat.ChunkSize, SealedChunk = Chunk + SealedFormat.TagSize;

    [Theory]
    [InlineData(SignatureAlgorithm.Ed25519)]
    [InlineData(SignatureAlgorithm.EcdsaP256)]
    public async Task EveryFlippedByteIsRefused(SignatureAlgorithm algorithm)
    {
        using MakerKey maker = MakerKey.Generate(algorithm);
        byte[] file = await Sample.SealAsync(Sample.Small(), maker);
        await Sample.OpenAsync(file, Sample.Trust(maker));
        foreach (byte flip in new byte[] { 0x01, 0x80, 0xff })
        {
            for (int i = 0; i < file.Length; i++)
            {
                byte[] changed = [.. file];
                changed[i] ^= flip;
                SealingException? refused = null;
                try
                {
                    await Sample.OpenAsync(changed, Sample.Trust(maker));
                }
                catch (SealingException problem)
                {
                    refused = problem;
                }
                Assert.True(refused is not null && refused.Error != SealingError.PlatformFailure, $"byte {i} ^ {flip:x2}");
            }
        }
    }

    [Fact]
    public async Task FlippedBytesOfALargeFileAreRefused()
    {
        using MakerKey maker = Sample.Maker();
        byte[] file = await Sample.SealAsync(Sample.Filled((2 * Chunk) + 77).Content, maker);
        int chunks = Sample.LayoutOf(file).Chunks;
        int[] places = [chunks, chunks + Chunk, chunks + SealedChunk - 1, chunks + SealedChunk, chunks + (2 * SealedChunk) - 1, chunks + (2 * SealedChunk), file.Length - 17, file.Length - 1];
        foreach (int place in places)
        {
            byte[] changed = [.. file];
            changed[place] ^= 1;
            await Sample.RefusedAsync(SealingError.ChunkChanged, changed, Sample.Trust(maker));
        }
    }

    [Fact]
    public async Task EveryTruncationIsRefused()
    {
        using MakerKey maker = Sample.Maker();
        byte[] file = await Sample.SealAsync(Sample.Small(), maker);
        for (int length = 0; length < file.Length; length++)
            await Sample.RefusedAsync(SealingError.Truncated, file[..length], Sample.Trust(maker));
        byte[] large = await Sample.SealAsync(Sample.Filled(2 * Chunk).Content, maker);
        await Sample.RefusedAsync(SealingError.Truncated, large[..^SealedChunk], Sample.Trust(maker));
        await Sample.RefusedAsync(SealingError.Truncated, large[..^1], Sample.Trust(maker));
    }

    [Fact]
    public async Task ExtraBytesAreRefused()
    {
        using MakerKey maker = Sample.Maker();
        byte[] file = await Sample.SealAsync(Sample.Filled(Chunk).Content, maker);
        await Sample.RefusedAsync(SealingError.TrailingBytes, [.. file, 0], Sample.Trust(maker));
        await Sample.RefusedAsync(SealingError.TrailingBytes, [.. file, .. file[^SealedChunk..]], Sample.Trust(maker));
    }

    [Fact]
    public async Task ReorderedChunksAreRefused()
    {
        using MakerKey maker = Sample.Maker();
        byte[] file = await Sample.SealAsync(Sample.Filled(3 * Chunk).Content, maker);
        Sample.Layout at = Sample.LayoutOf(file);
        byte[] swapped = Swap(file, at.Chunks, at.Chunks + SealedChunk, SealedChunk);
        await Sample.RefusedAsync(SealingError.ChunkChanged, swapped, Sample.Trust(maker));
        // With their hashes swapped too, the tree's root differs; with that signed again by the maker, the cipher still refuses.
        byte[] swappedLeaves = Swap(swapped, at.Leaves, at.Leaves + 32, 32);
        await Sample.RefusedAsync(SealingError.TreeMismatch, swappedLeaves, Sample.Trust(maker));
        await Sample.RefusedAsync(SealingError.ChunkTag, Sample.SignAgain(swapped, maker, rebuildTree: true), Sample.Trust(maker));
    }

    [Fact]
    public async Task ChunksOfAnotherFileAreRefused()
    {
        using MakerKey maker = Sample.Maker();
        SealedContent content = Sample.Filled(2 * Chunk).Content;
        byte[] file = await Sample.SealAsync(content, maker), twin = await Sample.SealAsync(content, maker);
        Sample.Layout at = Sample.LayoutOf(file);
        byte[] mixed = [.. file];
        twin.AsSpan(at.Chunks, SealedChunk).CopyTo(mixed.AsSpan(at.Chunks));
        await Sample.RefusedAsync(SealingError.ChunkChanged, mixed, Sample.Trust(maker));
        await Sample.RefusedAsync(SealingError.ChunkTag, Sample.SignAgain(mixed, maker, rebuildTree: true), Sample.Trust(maker));
        // The front of one file over all chunks of the other.
        await Sample.RefusedAsync(SealingError.ChunkChanged, [.. file[..at.Chunks], .. twin[at.Chunks..]], Sample.Trust(maker));
    }

    [Fact]
    public async Task WrongKeysAreRefused()
    {
        using MakerKey maker = Sample.Maker();
        byte[] file = await Sample.SealAsync(Sample.Small(), maker), other = [.. Sample.Key];
        other[31] ^= 1;
        await Sample.RefusedAsync(SealingError.WrongKey, file, Sample.Trust(maker), other);
        foreach (int length in new[] { 0, 16, 31, 33 })
        {
            await Sample.RefusedAsync(SealingError.KeyLength, file, Sample.Trust(maker), new byte[length]);
            Assert.Equal(SealingError.KeyLength, (await Assert.ThrowsAsync<SealingException>(() => Sample.SealAsync(Sample.Small(), maker, new byte[length]))).Error);
            Assert.Equal(SealingError.KeyLength, Assert.Throws<SealingException>(() => SealedFile.KeyIdOf(new byte[length])).Error);
        }
        // The key's id alone does not make a key: the commitment is compared too.
        byte[] changed = [.. file];
        changed[Sample.LayoutOf(file).Commitment] ^= 1;
        await Sample.RefusedAsync(SealingError.BadSignature, changed, Sample.Trust(maker));
        await Sample.RefusedAsync(SealingError.KeyCommitment, Sample.SignAgain(changed, maker), Sample.Trust(maker));
    }

    [Fact]
    public async Task ForeignMakersAreRefusedEvenWithTheKey()
    {
        using MakerKey maker = Sample.Maker(), foreign = MakerKey.Generate(SignatureAlgorithm.Ed25519), otherAlgorithm = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);
        byte[] file = await Sample.SealAsync(Sample.Small(), foreign);
        await Sample.RefusedAsync(SealingError.ForeignMaker, file, Sample.Trust(maker));
        await Sample.RefusedAsync(SealingError.ForeignMaker, await Sample.SealAsync(Sample.Small(), otherAlgorithm), Sample.Trust(maker));
        // With the trusted maker's key put beside the foreign signature.
        byte[] relabelled = [.. file];
        maker.Public.SubjectPublicKeyInfo.CopyTo(relabelled.AsMemory(Sample.LayoutOf(file).Root + 32));
        await Sample.RefusedAsync(SealingError.BadSignature, relabelled, Sample.Trust(maker));
        Assert.False(SealedFile.Inspect(new MemoryStream(relabelled)).SignatureValid);
    }

    [Fact]
    public async Task OtherContentThanExpectedIsRefused()
    {
        using MakerKey maker = Sample.Maker();
        byte[] file = await Sample.SealAsync(Sample.Small(), maker);
        byte[] digest = Convert.FromHexString(SealedFile.Inspect(new MemoryStream(file)).Digest);
        await Sample.OpenAsync(file, new SealedTrust(maker.Public, digest, 7, "digits"));
        byte[] otherDigest = [.. digest];
        otherDigest[0] ^= 1;
        await Sample.RefusedAsync(SealingError.OtherDigest, file, new SealedTrust(maker.Public, otherDigest, 7, "digits"));
        await Sample.RefusedAsync(SealingError.OtherDigest, file, new SealedTrust(maker.Public, ReadOnlyMemory<byte>.Empty, 7, "digits"));
        await Sample.RefusedAsync(SealingError.VersionTooOld, file, new SealedTrust(maker.Public, digest, 8, "digits"));
        await Sample.RefusedAsync(SealingError.OtherName, file, new SealedTrust(maker.Public, digest, 7, "letters"));
        await Sample.RefusedAsync(SealingError.OtherName, file, new SealedTrust(maker.Public, digest, 7, "Digits"));
        // The same content sealed again has another salt, and so another digest.
        byte[] again = await Sample.SealAsync(Sample.Small(), maker);
        await Sample.RefusedAsync(SealingError.OtherDigest, again, new SealedTrust(maker.Public, digest, 7, "digits"));
        // A changed name or version breaks the signature before it is even parsed.
        byte[] renamed = [.. file];
        renamed[SealedFormat.FixedHeaderSize] ^= 1;
        await Sample.RefusedAsync(SealingError.BadSignature, renamed, Sample.Trust(maker));
        byte[] newer = [.. file];
        newer[64]++;
        await Sample.RefusedAsync(SealingError.BadSignature, newer, new SealedTrust(maker.Public, null, 8, null));
    }

    [Fact]
    public async Task NothingOfARefusedReadIsLeftInTheBuffer()
    {
        using MakerKey maker = Sample.Maker();
        byte[] file = await Sample.SealAsync(Sample.Filled(4 * Chunk).Content, maker);
        file[^1] ^= 1;
        await using SealedReader reader = await SealedFile.OpenAsync(new MemoryStream(file), Sample.Trust(maker), Sample.Key);
        byte[] destination = new byte[4 * Chunk];
        Array.Fill(destination, (byte)1);
        Assert.Equal(SealingError.ChunkChanged, (await Assert.ThrowsAsync<SealingException>(() => reader.ReadAsync("entry-0", destination))).Error);
        Assert.False(destination.AsSpan().ContainsAnyExcept((byte)0));
        // Other chunks are still good.
        await reader.ReadAsync("entry-0", 0, destination.AsMemory(0, Chunk));
    }

    [Fact]
    public async Task FilesThatShrinkAfterOpeningAreRefused()
    {
        using var folder = new TemporaryFolder();
        using MakerKey maker = Sample.Maker();
        byte[] file = await Sample.SealAsync(Sample.Filled(2 * Chunk).Content, maker);
        await File.WriteAllBytesAsync(folder.File("f"), file);
        await using var stream = new FileStream(folder.File("f"), FileMode.Open, FileAccess.ReadWrite);
        await using SealedReader reader = await SealedFile.OpenAsync(stream, Sample.Trust(maker), Sample.Key);
        using (Microsoft.Win32.SafeHandles.SafeFileHandle handle = File.OpenHandle(folder.File("f"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            RandomAccess.SetLength(handle, file.Length - 1);
        Assert.Equal(SealingError.Truncated, (await Assert.ThrowsAsync<SealingException>(() => reader.ReadAsync("entry-0", new byte[2 * Chunk]))).Error);
    }

    [Fact]
    public async Task MutatedFilesAreRefusedAsDocumented()
    {
        using MakerKey maker = Sample.Maker();
        byte[] file = await Sample.SealAsync(Sample.Small(), maker);
        foreach (byte[] bytes in Mutations.Of(file, 6, 3000))
        {
            SealedFile.Fuzz(bytes);
            if (!bytes.AsSpan().SequenceEqual(file))
                await Assert.ThrowsAsync<SealingException>(() => Sample.OpenAsync(bytes, Sample.Trust(maker)));
        }
    }

    private static byte[] Swap(byte[] file, int one, int two, int length)
    {
        byte[] swapped = [.. file];
        file.AsSpan(one, length).CopyTo(swapped.AsSpan(two));
        file.AsSpan(two, length).CopyTo(swapped.AsSpan(one));
        return swapped;
    }
}

using System.Security.Cryptography;

namespace Cloister.Sealing.Tests.Files;

public class SealedFileTests
{
    private const int Chunk = SealedFormat.ChunkSize;

    [Theory]
    [InlineData(SignatureAlgorithm.Ed25519)]
    [InlineData(SignatureAlgorithm.EcdsaP256)]
    public async Task OpensWhatWasSealed(SignatureAlgorithm algorithm)
    {
        using MakerKey maker = MakerKey.Generate(algorithm);
        using var output = new MemoryStream();
        string digest = await SealedFile.SealAsync(output, Sample.Small(), Sample.Key, maker);
        SealedInspection seen = SealedFile.Inspect(output);
        Assert.True(seen.SignatureValid);
        Assert.Equal((digest, maker.Public, algorithm), (seen.Digest, seen.Maker, seen.Header.SignatureAlgorithm));
        Assert.Equal(("digits", 7L, 1, Chunk, SealedFile.KeyIdOf(Sample.Key)), (seen.Header.Name, seen.Header.Version, seen.Header.FormatVersion, seen.Header.ChunkSize, seen.Header.KeyId));
        Assert.Equal([new SealedEntry("model.onnx", 20), new SealedEntry("folder/labels.txt", 9)], seen.Header.Entries.ToArray());

        var trust = new SealedTrust(maker.Public, Convert.FromHexString(digest), 7, "digits");
        await using SealedReader reader = await SealedFile.OpenAsync(output, trust, Sample.Key);
        Assert.Equal(digest, reader.Digest);
        Assert.True(reader.Contains("model.onnx"));
        Assert.False(reader.Contains("Model.onnx"));
        byte[] labels = new byte[9];
        await reader.ReadAsync("folder/labels.txt", labels);
        Assert.Equal("zero\none\n"u8.ToArray(), labels);
    }

    // Borders of entries and chunks in every arrangement: before, on and after each other; empty entries; empty content.
    [Theory]
    [InlineData(0)]
    [InlineData(0, 0)]
    [InlineData(1)]
    [InlineData(Chunk - 1)]
    [InlineData(Chunk)]
    [InlineData(Chunk + 1)]
    [InlineData(0, Chunk, 0, Chunk, 0)]
    [InlineData(10, Chunk - 11, 2, Chunk - 1, 3 * Chunk, 17)]
    [InlineData(3 * Chunk, 5, Chunk + 5)]
    public async Task EveryArrangementOfEntriesAndChunksRoundTrips(params int[] lengths)
    {
        using MakerKey maker = Sample.Maker();
        (SealedContent content, byte[][] bytes) = Sample.Filled(lengths);
        byte[] file = await Sample.SealAsync(content, maker);
        byte[][] opened = await Sample.OpenAsync(file, Sample.Trust(maker));
        Assert.Equal(bytes.Length, opened.Length);
        for (int i = 0; i < bytes.Length; i++)
            Assert.True(bytes[i].AsSpan().SequenceEqual(opened[i]), $"entry {i}");
        SealedHeader header = SealedFile.Inspect(new MemoryStream(file)).Header;
        Assert.Equal(file.Length, SealedFormat.FileLength(SealedHeaderCodec.Write(header).Length, header));
    }

    [Fact]
    public async Task AnyRangeOfAnEntryCanBeRead()
    {
        using MakerKey maker = Sample.Maker();
        (SealedContent content, byte[][] bytes) = Sample.Filled(777, (3 * Chunk) + 99, 5);
        byte[] file = await Sample.SealAsync(content, maker);
        await using SealedReader reader = await SealedFile.OpenAsync(new MemoryStream(file), Sample.Trust(maker), Sample.Key);
        byte[] expected = bytes[1];
        var random = new Random(5);
        for (int i = 0; i < 40; i++)
        {
            int offset = random.Next(expected.Length + 1), length = random.Next(Math.Min(expected.Length - offset, i % 2 == 0 ? 3000 : 2 * Chunk) + 1);
            byte[] part = new byte[length + 2];
            await reader.ReadAsync("entry-1", offset, part.AsMemory(1, length));
            Assert.True(expected.AsSpan(offset, length).SequenceEqual(part.AsSpan(1, length)), $"offset {offset}, length {length}");
            Assert.Equal((0, 0), (part[0], part[^1])); // nothing beside the destination
        }
    }

    [Fact]
    public async Task LargeEntriesAreReadIntoUnmanagedMemory()
    {
        using MakerKey maker = Sample.Maker();
        (SealedContent content, byte[][] bytes) = Sample.Filled(3, (2 * Chunk) + 1);
        byte[] file = await Sample.SealAsync(content, maker);
        await using SealedReader reader = await SealedFile.OpenAsync(new MemoryStream(file), Sample.Trust(maker), Sample.Key);
        byte[] seen = new byte[bytes[1].Length];
        nint memory = System.Runtime.InteropServices.Marshal.AllocHGlobal(seen.Length);
        try
        {
            await reader.ReadAsync("entry-1", 0, memory, seen.Length);
            System.Runtime.InteropServices.Marshal.Copy(memory, seen, 0, seen.Length);
        }
        finally
        {
            System.Runtime.InteropServices.Marshal.FreeHGlobal(memory);
        }
        Assert.True(bytes[1].AsSpan().SequenceEqual(seen));
    }

    [Fact]
    public async Task CallersMistakesThrow()
    {
        using MakerKey maker = Sample.Maker();
        byte[] file = await Sample.SealAsync(Sample.Small(), maker);
        await using SealedReader reader = await SealedFile.OpenAsync(new MemoryStream(file), Sample.Trust(maker), Sample.Key);
        await Assert.ThrowsAsync<ArgumentException>(() => reader.ReadAsync("absent", new byte[1]));
        await Assert.ThrowsAsync<ArgumentException>(() => reader.ReadAsync("model.onnx", new byte[19]));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => reader.ReadAsync("model.onnx", 1, new byte[20]));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => reader.ReadAsync("model.onnx", -1, new byte[1]));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => reader.ReadAsync("model.onnx", long.MaxValue, new byte[1]));
        await Assert.ThrowsAsync<ArgumentException>(() => SealedFile.SealAsync(new MemoryStream([1, 2]), Sample.Small(), Sample.Key, maker));
    }

    [Fact]
    public async Task ReadsRunBesideEachOtherFromAFile()
    {
        using var folder = new TemporaryFolder();
        using MakerKey maker = Sample.Maker();
        (SealedContent content, byte[][] bytes) = Sample.Filled((4 * Chunk) + 3, Chunk, 2 * Chunk);
        string digest = await SealedFile.SealAsync(folder.File("content.sealed"), content, Sample.Key, maker);
        Assert.Equal(["content.sealed"], folder.Names());
        await using SealedReader reader = await SealedFile.OpenAsync(folder.File("content.sealed"), Sample.Trust(maker), Sample.Key);
        Assert.Equal(digest, reader.Digest);
        await Parallel.ForEachAsync(Enumerable.Range(0, 12), async (i, cancellation) =>
        {
            byte[] entry = new byte[bytes[i % 3].Length];
            await reader.ReadAsync($"entry-{i % 3}", entry, null, cancellation);
            Assert.True(bytes[i % 3].AsSpan().SequenceEqual(entry));
        });
    }

    [Fact]
    public async Task ProgressEndsAtTheWholeLength()
    {
        using MakerKey maker = Sample.Maker();
        (SealedContent content, byte[][] bytes) = Sample.Filled((3 * Chunk) + 10);
        var sealing = new Highest();
        using var output = new MemoryStream();
        await SealedFile.SealAsync(output, content, Sample.Key, maker, sealing);
        Assert.Equal(bytes[0].Length, sealing.Value);
        await using SealedReader reader = await SealedFile.OpenAsync(output, Sample.Trust(maker), Sample.Key);
        var reading = new Highest();
        await reader.ReadAsync("entry-0", new byte[bytes[0].Length], reading);
        Assert.Equal(bytes[0].Length, reading.Value);
        var verifying = new Highest();
        await reader.VerifyAsync(verifying);
        Assert.Equal(bytes[0].Length, verifying.Value);
    }

    [Fact]
    public async Task CancelledReadsLeaveNothingBehind()
    {
        using MakerKey maker = Sample.Maker();
        (SealedContent content, byte[][] bytes) = Sample.Filled(5 * Chunk);
        byte[] file = await Sample.SealAsync(content, maker);
        await using SealedReader reader = await SealedFile.OpenAsync(new MemoryStream(file), Sample.Trust(maker), Sample.Key);
        using var stop = new CancellationTokenSource();
        byte[] destination = new byte[bytes[0].Length];
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reader.ReadAsync("entry-0", destination, new Cancels(stop), stop.Token));
        Assert.False(destination.AsSpan().ContainsAnyExcept((byte)0));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task SourcesMustHoldTheirDeclaredLength(int difference)
    {
        using MakerKey maker = Sample.Maker();
        var first = new SealedSource("first", 10 + difference, () => new MemoryStream(new byte[10]));
        SealedSource second = SealedSource.FromBytes("second", [1]);
        foreach (SealedSource[] entries in new[] { [first, second], new[] { second, first } })
        {
            using var output = new MemoryStream();
            SealingException refused = await Assert.ThrowsAsync<SealingException>(() => SealedFile.SealAsync(output, new SealedContent("n", 0, entries), Sample.Key, maker));
            Assert.Equal(SealingError.SourceLength, refused.Error);
            Assert.Equal(SealingError.NotASealedFile, Assert.Throws<SealingException>(() => SealedFile.Inspect(output)).Error); // what is left is no sealed file
        }
    }

    [Fact]
    public async Task InterruptedSealingLeavesNoFile()
    {
        using var folder = new TemporaryFolder();
        using MakerKey maker = Sample.Maker();
        var content = new SealedContent("n", 0, [new SealedSource("e", 10, () => new MemoryStream(new byte[9]))]);
        await Assert.ThrowsAsync<SealingException>(() => SealedFile.SealAsync(folder.File("x.sealed"), content, Sample.Key, maker));
        Assert.Empty(folder.Names());
    }

    // The layout is frozen in docs/formats/sealed-file.md: a change of these digests is a change of format and needs a new version.
    [Fact]
    public async Task LayoutIsFrozen()
    {
        using MakerKey maker = Sample.Maker();
        using var small = new MemoryStream();
        string digest = await SealedWriter.SealAsync(small, Sample.Small(), Sample.Key, maker, Sample.Salt, null, default);
        Assert.Equal("7409dcbc9ebf97e5e6afb5313b576f3cf5c83a54e2a6d94c41afac6ee50d1df2", digest);
        Assert.Equal("14e0b0edb2f789b578aa583c89d662d9332f4ebbdd42fa8ebd1d4d6a7edf2f5b", Convert.ToHexStringLower(SHA256.HashData(small.ToArray())));

        using var large = new MemoryStream();
        byte[] counted = new byte[(2 * Chunk) + 12345];
        for (int i = 0; i < counted.Length; i++)
            counted[i] = (byte)(i * 31 >> 3);
        await SealedWriter.SealAsync(large, new SealedContent("large", 1, [SealedSource.FromBytes("a", counted)]), Sample.Key, maker, Sample.Salt, null, default);
        Assert.Equal("63cdd7f50e408122fce1f391f3ab2490313cdf27f57eae25810ace2e2e375bae", Convert.ToHexStringLower(SHA256.HashData(large.ToArray())));
    }

    private sealed class Highest : IProgress<long>
    {
        private long value;

        public long Value => Interlocked.Read(ref value);

        public void Report(long done)
        {
            for (long seen = Value; done > seen && Interlocked.CompareExchange(ref value, done, seen) != seen; seen = Value)
            {
            }
        }
    }

    private sealed class Cancels(CancellationTokenSource stop) : IProgress<long>
    {
        public void Report(long value) => stop.Cancel();
    }
}

using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Cloister.Sealing.Tests.Files;

/// <summary>Headers that break one rule each, signed by the trusted maker, so that the header's own check has to refuse them.</summary>
public class SealedHeaderTests
{
    [Theory]
    [InlineData(SealingError.EmptyEntryName, "")]
    [InlineData(SealingError.DuplicateEntryName, "a", "a")]
    [InlineData(SealingError.DuplicateEntryName, "a/B.txt", "A/b.TXT")]
    [InlineData(SealingError.DuplicateEntryName, "a", "A/b")]
    [InlineData(SealingError.DuplicateEntryName, "a/b/c", "a/b")]
    [InlineData(SealingError.UnsafeEntryName, "/etc/passwd")]
    [InlineData(SealingError.UnsafeEntryName, "../up")]
    [InlineData(SealingError.UnsafeEntryName, "a/../../up")]
    [InlineData(SealingError.UnsafeEntryName, "a/..")]
    [InlineData(SealingError.UnsafeEntryName, "..")]
    [InlineData(SealingError.UnsafeEntryName, ".")]
    [InlineData(SealingError.UnsafeEntryName, "a/./b")]
    [InlineData(SealingError.UnsafeEntryName, "a//b")]
    [InlineData(SealingError.UnsafeEntryName, "a/")]
    [InlineData(SealingError.UnsafeEntryName, "a\\b")]
    [InlineData(SealingError.UnsafeEntryName, "C:\\x")]
    [InlineData(SealingError.UnsafeEntryName, "C:x")]
    [InlineData(SealingError.UnsafeEntryName, "a\0b")]
    [InlineData(SealingError.UnsafeEntryName, "a\nb")]
    [InlineData(SealingError.UnsafeEntryName, "a\u007f")]
    [InlineData(SealingError.UnsafeEntryName, "modèle")]
    [InlineData(SealingError.UnsafeEntryName, "a.")]
    [InlineData(SealingError.UnsafeEntryName, ".. /a")]
    [InlineData(SealingError.UnsafeEntryName, " a")]
    [InlineData(SealingError.UnsafeEntryName, "nul")]
    [InlineData(SealingError.UnsafeEntryName, "a/Aux.tar.gz")]
    [InlineData(SealingError.UnsafeEntryName, "com7 .txt/b")]
    public async Task BadEntryNamesAreRefused(SealingError error, params string[] names)
    {
        using MakerKey maker = Sample.Maker();
        await RefusedAsync(error, Sample.WithHeader(Sample.Header(maker, names), maker), maker);
        var content = new SealedContent("n", 0, [.. names.Select(name => SealedSource.FromBytes(name, [1]))]);
        Assert.Equal(error, (await Assert.ThrowsAsync<SealingException>(() => Sample.SealAsync(content, maker))).Error);
    }

    [Theory]
    [InlineData("model.onnx", "model.onnx.data", "config.json")]
    [InlineData("...a", "a..b", "~x", "a b", "com", "COM10", "console", "nully", "lpt", "a/nul2")]
    public async Task PlainNamesPass(params string[] names)
    {
        using MakerKey maker = Sample.Maker();
        var content = new SealedContent("n", 0, [.. names.Select(name => SealedSource.FromBytes(name, [1]))]);
        Assert.Equal(names.Length, (await Sample.OpenAsync(await Sample.SealAsync(content, maker), Sample.Trust(maker))).Length);
    }

    [Fact]
    public async Task TheLongestNamesAndTheMostEntriesPass()
    {
        using MakerKey maker = Sample.Maker();
        string[] names = [.. Enumerable.Range(0, SealedFormat.MaxEntries).Select(i => $"{i:d4}/{new string('x', 250)}")];
        var content = new SealedContent(new string('n', 255), long.MaxValue, [.. names.Select(name => SealedSource.FromBytes(name, [7]))]);
        byte[][] opened = await Sample.OpenAsync(await Sample.SealAsync(content, maker), Sample.Trust(maker));
        Assert.All(opened, entry => Assert.Equal([7], entry));

        await RefusedAsync(SealingError.UnsafeEntryName, Sample.WithHeader(Sample.Header(maker, new string('x', 256)), maker), maker);
        await RefusedAsync(SealingError.TooManyEntries, Sample.WithHeader(Sample.Header(maker, [.. names, "one-more"]), maker), maker);
        await RefusedAsync(SealingError.NoEntries, Sample.WithHeader(Sample.Header(maker), maker), maker);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" name")]
    [InlineData("name ")]
    [InlineData("na\nme")]
    [InlineData("näme")]
    public async Task BadContentNamesAreRefused(string name)
    {
        using MakerKey maker = Sample.Maker();
        await RefusedAsync(SealingError.InvalidContentName, Sample.WithHeader(Sample.Header(maker, "a") with { Name = name }, maker), maker);
    }

    [Fact]
    public async Task BadNumbersAreRefused()
    {
        using MakerKey maker = Sample.Maker();
        SealedHeader header = Sample.Header(maker, "a");
        await RefusedAsync(SealingError.InvalidContentName, Sample.WithHeader(header with { Name = new string('n', 256) }, maker), maker);
        await RefusedAsync(SealingError.InvalidContentVersion, Sample.WithHeader(header with { Version = -1 }, maker), maker);
        foreach (int size in new[] { 0, -1, 4096, SealedFormat.ChunkSize + 1, int.MaxValue })
            await RefusedAsync(SealingError.UnknownChunkSize, Sample.WithHeader(header with { ChunkSize = size }, maker), maker);
        foreach (long[] lengths in new long[][] { [-1], [long.MinValue], [long.MaxValue], [SealedFormat.MaxContentLength + 1], [SealedFormat.MaxContentLength, 1], [1, long.MaxValue] })
        {
            ImmutableArray<SealedEntry> entries = [.. lengths.Select((length, i) => new SealedEntry($"e{i}", length))];
            await RefusedAsync(SealingError.ContentSize, Sample.WithHeader(header with { Entries = entries }, maker), maker);
        }
        // The largest content is thinkable, and a short file that claims it allocates nothing for it.
        await RefusedAsync(SealingError.Truncated, Sample.WithHeader(header with { Entries = [new SealedEntry("e", SealedFormat.MaxContentLength)] }, maker), maker);
    }

    [Fact]
    public async Task BadFramesAreRefused()
    {
        using MakerKey maker = Sample.Maker();
        byte[] file = await Sample.SealAsync(Sample.Small(), maker);
        await RefusedAsync(SealingError.NotASealedFile, Edit(file, 0, 0), maker);
        await RefusedAsync(SealingError.NotASealedFile, "PK\x03\x04"u8.ToArray(), maker);
        await RefusedAsync(SealingError.Truncated, "CLSEAL"u8.ToArray(), maker);
        await RefusedAsync(SealingError.UnknownVersion, Edit(file, 8, 0), maker);
        await RefusedAsync(SealingError.UnknownVersion, Edit(file, 8, 2), maker);
        await RefusedAsync(SealingError.UnknownVersion, Edit(file, 9, 1), maker);
        await RefusedAsync(SealingError.UnknownAlgorithm, Edit(file, 10, 0), maker);
        await RefusedAsync(SealingError.UnknownAlgorithm, Edit(file, 10, 2), maker);
        await RefusedAsync(SealingError.UnknownSignatureAlgorithm, Edit(file, 11, 0), maker);
        await RefusedAsync(SealingError.UnknownSignatureAlgorithm, Edit(file, 11, 3), maker);
        foreach (uint size in new uint[] { 0, 16, 79, SealedFormat.MaxHeaderSize + 1, uint.MaxValue })
        {
            byte[] changed = [.. file];
            BinaryPrimitives.WriteUInt32LittleEndian(changed.AsSpan(12), size);
            await RefusedAsync(SealingError.HeaderSize, changed, maker);
        }
        byte[] larger = [.. file];
        BinaryPrimitives.WriteUInt32LittleEndian(larger.AsSpan(12), SealedFormat.MaxHeaderSize);
        await RefusedAsync(SealingError.Truncated, larger, maker);
    }

    [Fact]
    public async Task HeadersThatDoNotAddUpAreRefused()
    {
        using MakerKey maker = Sample.Maker();
        SealedHeader header = Sample.Header(maker, "first", "second");
        await RefusedAsync(SealingError.MalformedHeader, Sample.WithHeader(header, maker, bytes => bytes[76] = 1), maker); // bytes are left over
        await RefusedAsync(SealingError.MalformedHeader, Sample.WithHeader(header, maker, bytes => bytes[76] = 3), maker); // an entry is missing
        await RefusedAsync(SealingError.MalformedHeader, Sample.WithHeader(header, maker, bytes => bytes[79] = 255), maker); // the name is cut off
        await RefusedAsync(SealingError.MalformedHeader, Sample.WithHeader(header, maker, bytes => bytes[80 + 4 + 9] = 255), maker); // an entry's name is cut off
    }

    [Fact]
    public async Task KeysOfAnotherKindThanTheHeaderSaysAreRefused()
    {
        using MakerKey maker = Sample.Maker();
        byte[] file = await Sample.SealAsync(Sample.Small(), maker);
        await RefusedAsync(SealingError.MalformedMakerKey, Edit(file, 11, (byte)SignatureAlgorithm.EcdsaP256), maker);
        await RefusedAsync(SealingError.MalformedMakerKey, Edit(file, Sample.LayoutOf(file).Root + 32, 0), maker);
    }

    private static Task RefusedAsync(SealingError error, byte[] file, MakerKey maker) => Sample.RefusedAsync(error, file, Sample.Trust(maker));

    private static byte[] Edit(byte[] file, int at, byte value)
    {
        byte[] changed = [.. file];
        changed[at] = value;
        return changed;
    }
}

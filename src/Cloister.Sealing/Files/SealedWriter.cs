using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>Writes a sealed file in one pass over the content. The front's size is known from the entries' lengths; it is filled in at the end.</summary>
internal static class SealedWriter
{
    private const int SealedChunkSize = SealedFormat.ChunkSize + SealedFormat.TagSize;

    /// <param name="output">An empty stream.</param>
    /// <param name="content">What to seal.</param>
    /// <param name="key">32 bytes.</param>
    /// <param name="maker">Who signs.</param>
    /// <param name="salt">32 bytes, never used before with this key; given by tests alone.</param>
    /// <param name="progress">Told the bytes sealed.</param>
    /// <param name="cancellation">Stops the sealing.</param>
    public static async Task<string> SealAsync(Stream output, SealedContent content, ReadOnlyMemory<byte> key, MakerKey maker, byte[] salt, IProgress<long>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(maker);
        if (!output.CanSeek || !output.CanWrite || output.Length != 0)
            throw new ArgumentException("A sealed file is written to an empty stream that can seek.", nameof(output));
        FileKeys.CheckLength(key);
        var header = new SealedHeader(SealedFormat.Version, maker.Public.Algorithm, Convert.ToHexStringLower(SealedFormat.KeyId(key.Span)),
            content.Name, content.Version, SealedFormat.ChunkSize, salt, [.. content.Entries.Select(source => new SealedEntry(source.Name, source.Length))]);
        SealedHeaderCodec.Check(header);
        byte[] headerBytes = SealedHeaderCodec.Write(header);
        byte[] headerDigest = SealedFormat.HeaderDigest(headerBytes);
        using FileKeys keys = FileKeys.Derive(key.Span, salt, headerDigest);

        byte[] front = new byte[SealedFormat.ChunksAt(headerBytes.Length, header)];
        output.Position = 0;
        await output.WriteAsync(front, cancellation); // zeros: an interrupted file has no magic
        byte[] leaves = new byte[header.ChunkCount * HashTree.HashSize];
        await WriteChunksAsync(output, content, header, keys, leaves, progress, cancellation);

        byte[] root = HashTree.Root(leaves);
        byte[] signature = maker.Sign(SealedFormat.SignedMessage(headerDigest, keys.Commitment, root));
        byte[][] parts = [headerBytes, keys.Commitment, root, maker.Public.SubjectPublicKeyInfo.ToArray(), signature, leaves];
        int at = 0;
        foreach (byte[] part in parts)
        {
            part.CopyTo(front, at);
            at += part.Length;
        }
        output.Position = 0;
        await output.WriteAsync(front, cancellation);
        output.Position = output.Length;
        await output.FlushAsync(cancellation);
        return Convert.ToHexStringLower(SealedFormat.ModelDigest(headerDigest, keys.Commitment, root));
    }

    // While one chunk is hashed and written, the next one is read and encrypted into the other buffer.
    private static async Task WriteChunksAsync(Stream output, SealedContent content, SealedHeader header, FileKeys keys, byte[] leaves, IProgress<long>? progress, CancellationToken cancellation)
    {
        byte[] plaintext = GC.AllocateUninitializedArray<byte>(SealedFormat.ChunkSize, pinned: true);
        byte[][] buffers = [new byte[1 + SealedChunkSize], new byte[1 + SealedChunkSize]];
        buffers[0][0] = buffers[1][0] = HashTree.LeafPrefix;
        Task writing = Task.CompletedTask;
        using ChunkCipher cipher = keys.CreateCipher();
        await using var source = new JoinedSource(content.Entries);
        try
        {
            for (int chunk = 0; chunk < header.ChunkCount; chunk++)
            {
                long done = (long)chunk * SealedFormat.ChunkSize;
                int size = (int)Math.Min(SealedFormat.ChunkSize, header.ContentLength - done);
                await source.FillAsync(plaintext.AsMemory(0, size), cancellation);
                Memory<byte> sealedChunk = buffers[chunk % 2].AsMemory(0, 1 + size + SealedFormat.TagSize);
                cipher.Seal(chunk, chunk == header.ChunkCount - 1, plaintext.AsSpan(0, size), sealedChunk.Span[1..]);
                await writing;
                writing = HashAndWriteAsync(output, sealedChunk, leaves.AsMemory(chunk * HashTree.HashSize, HashTree.HashSize), cancellation);
                progress?.Report(done + size);
            }
            await source.FinishAsync(cancellation);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plaintext);
            await writing;
        }
    }

    private static Task HashAndWriteAsync(Stream output, Memory<byte> prefixedChunk, Memory<byte> leaf, CancellationToken cancellation) => Task.Run(async () =>
    {
        HashTree.Leaf(prefixedChunk.Span, leaf.Span);
        await output.WriteAsync(prefixedChunk[1..], cancellation);
    }, cancellation);

    /// <summary>The entries' bytes as one, each held to its declared length.</summary>
    private sealed class JoinedSource(IReadOnlyList<SealedSource> entries) : IAsyncDisposable
    {
        private Stream? stream;
        private int index;
        private long left = entries.Count == 0 ? 0 : entries[0].Length;

        public async ValueTask FillAsync(Memory<byte> buffer, CancellationToken cancellation)
        {
            while (!buffer.IsEmpty)
            {
                if (left == 0)
                {
                    await NextAsync(cancellation);
                    continue;
                }
                stream ??= entries[index].Open();
                int read = await stream.ReadAsync(buffer[..(int)Math.Min(buffer.Length, left)], cancellation);
                if (read == 0)
                    throw Differs("fewer");
                buffer = buffer[read..];
                left -= read;
            }
        }

        /// <summary>Sees the remaining entries to their ends.</summary>
        public async ValueTask FinishAsync(CancellationToken cancellation)
        {
            while (index < entries.Count)
            {
                if (left != 0)
                    throw Differs("fewer");
                await NextAsync(cancellation);
            }
        }

        public ValueTask DisposeAsync() => stream?.DisposeAsync() ?? ValueTask.CompletedTask;

        private async ValueTask NextAsync(CancellationToken cancellation)
        {
            stream ??= entries[index].Open();
            if (await stream.ReadAsync(new byte[1], cancellation) != 0)
                throw Differs("more");
            await stream.DisposeAsync();
            stream = null;
            index++;
            left = index < entries.Count ? entries[index].Length : 0;
        }

        private SealingException Differs(string how) =>
            new(SealingError.SourceLength, $"Entry \"{entries[index].Name}\" holds {how} bytes than its declared {entries[index].Length}: it changed while it was being sealed. Seal again.");
    }
}

using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>
/// One read over a range of the content. Workers take chunk after chunk: read the ciphertext, compare its hash with the table, decrypt into place.
/// Chunks are independent, so every core is used without hand-overs, and a chunk stays in one core's cache from reading to plaintext.
/// </summary>
/// <param name="file">The sealed file.</param>
/// <param name="front">Its checked front.</param>
/// <param name="keys">Its keys.</param>
/// <param name="start">First byte of the content.</param>
/// <param name="destination">Where it goes; 0 checks everything and keeps nothing.</param>
/// <param name="length">Bytes.</param>
/// <param name="progress">Told the bytes done.</param>
internal sealed class ChunkRead(SeekableBytes file, SealedFront front, FileKeys keys, long start, nint destination, long length, IProgress<long>? progress)
{
    // Beyond this many the memory bus is the limit, and each worker holds two chunks.
    private const int MaxWorkers = 16;

    private readonly long firstChunk = start / SealedFormat.ChunkSize;
    private readonly long endChunk = Math.Max(start, start + length - 1) / SealedFormat.ChunkSize + 1;
    private long taken, done;

    public async Task RunAsync(CancellationToken cancellation)
    {
        int workers = (int)Math.Min(endChunk - firstChunk, Math.Min(Environment.ProcessorCount, MaxWorkers));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var running = new Task[workers];
        for (int i = 0; i < workers; i++)
            running[i] = Task.Run(() => WorkAsync(stop), CancellationToken.None);
        Task all = Task.WhenAll(running);
        try
        {
            await all;
        }
        catch
        {
            Wipe();
            // The first refusal stops the other workers, whose cancellation says nothing about the file.
            if (all.Exception?.InnerExceptions.FirstOrDefault(problem => problem is not OperationCanceledException) is { } cause)
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(cause);
            throw;
        }
    }

    private async Task WorkAsync(CancellationTokenSource stop)
    {
        byte[] sealedChunk = ArrayPool<byte>.Shared.Rent(1 + SealedFormat.ChunkSize + SealedFormat.TagSize);
        byte[]? part = null;
        try
        {
            using ChunkCipher cipher = keys.CreateCipher();
            sealedChunk[0] = HashTree.LeafPrefix;
            while (firstChunk + Interlocked.Increment(ref taken) - 1 is var chunk && chunk < endChunk)
            {
                stop.Token.ThrowIfCancellationRequested();
                int size = SizeOf(chunk);
                Memory<byte> ciphertext = sealedChunk.AsMemory(1, size + SealedFormat.TagSize);
                await file.ReadOnWorkerAsync(front.ChunksAt + (chunk * (SealedFormat.ChunkSize + SealedFormat.TagSize)), ciphertext, stop.Token);
                CheckLeaf(chunk, sealedChunk.AsSpan(0, 1 + ciphertext.Length));
                Release(cipher, chunk, ciphertext.Span, size, ref part);
            }
        }
        catch
        {
            await stop.CancelAsync();
            throw;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(part);
            ArrayPool<byte>.Shared.Return(sealedChunk);
        }
    }

    private int SizeOf(long chunk) => (int)Math.Min(SealedFormat.ChunkSize, front.Header.ContentLength - (chunk * SealedFormat.ChunkSize));

    private void CheckLeaf(long chunk, ReadOnlySpan<byte> prefixedChunk)
    {
        Span<byte> hash = stackalloc byte[HashTree.HashSize];
        HashTree.Leaf(prefixedChunk, hash);
        if (!CryptographicOperations.FixedTimeEquals(hash, front.Leaves.Span.Slice((int)chunk * HashTree.HashSize, HashTree.HashSize)))
            throw new SealingException(SealingError.ChunkChanged, $"Chunk {chunk} of the sealed file was changed. Copy it again from its maker.");
    }

    private unsafe void Release(ChunkCipher cipher, long chunk, ReadOnlySpan<byte> ciphertext, int size, ref byte[]? part)
    {
        bool last = chunk == front.Header.ChunkCount - 1;
        long chunkStart = chunk * SealedFormat.ChunkSize;
        long from = Math.Max(start, chunkStart), to = Math.Min(start + length, chunkStart + size);
        if (destination != 0 && to - from == size)
        {
            // The whole chunk is wanted: it lies inside [destination, destination + length) and is decrypted there.
            cipher.Open(chunk, last, ciphertext, new Span<byte>((byte*)destination + (chunkStart - start), size));
        }
        else
        {
            part ??= GC.AllocateUninitializedArray<byte>(SealedFormat.ChunkSize, pinned: true);
            cipher.Open(chunk, last, ciphertext, part.AsSpan(0, size));
            if (destination != 0)
                part.AsSpan((int)(from - chunkStart), (int)(to - from)).CopyTo(new Span<byte>((byte*)destination + (from - start), (int)(to - from)));
        }
        long sum = Interlocked.Add(ref done, to - from);
        progress?.Report(sum);
    }

    private unsafe void Wipe()
    {
        if (destination != 0)
            NativeMemory.Clear((void*)destination, (nuint)length);
    }
}

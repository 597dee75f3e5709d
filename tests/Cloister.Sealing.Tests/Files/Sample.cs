namespace Cloister.Sealing.Tests.Files;

/// <summary>Sealed files to test with: fixed keys and content, and files whose front was made by somebody who ignores the rules.</summary>
internal static class Sample
{
    public static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    public static readonly byte[] Salt = [.. Enumerable.Range(200, 32).Select(i => (byte)i)];

    /// <summary>An Ed25519 key from a fixed seed; its signatures are deterministic.</summary>
    public static MakerKey Maker() => new Ed25519MakerKey(Ed25519Key.Import([.. Enumerable.Range(50, 32).Select(i => (byte)i)]));

    public static SealedTrust Trust(MakerKey maker) => new(maker.Public, null, 0, null);

    public static SealedContent Small() => new("digits", 7, [SealedSource.FromBytes("model.onnx", "not really a network"u8.ToArray()), SealedSource.FromBytes("folder/labels.txt", "zero\none\n"u8.ToArray())]);

    /// <summary>Entries of these lengths, filled from a seed.</summary>
    public static (SealedContent Content, byte[][] Bytes) Filled(params int[] lengths)
    {
        byte[][] bytes = [.. lengths.Select((length, i) => Fill(length, i))];
        return (new("filled", 1, [.. bytes.Select((entry, i) => SealedSource.FromBytes($"entry-{i}", entry))]), bytes);
    }

    public static async Task<byte[]> SealAsync(SealedContent content, MakerKey maker, byte[]? key = null)
    {
        using var output = new MemoryStream();
        await SealedFile.SealAsync(output, content, key ?? Key, maker);
        return output.ToArray();
    }

    /// <summary>Opens and reads everything, as a workload does.</summary>
    public static async Task<byte[][]> OpenAsync(byte[] file, SealedTrust trust, byte[]? key = null)
    {
        await using SealedReader reader = await SealedFile.OpenAsync(new MemoryStream(file, writable: false), trust, key ?? Key);
        var entries = new List<byte[]>();
        foreach (SealedEntry entry in reader.Header.Entries)
        {
            byte[] bytes = new byte[entry.Length];
            await reader.ReadAsync(entry.Name, bytes);
            entries.Add(bytes);
        }
        await reader.VerifyAsync();
        return [.. entries];
    }

    public static async Task RefusedAsync(SealingError error, byte[] file, SealedTrust trust, byte[]? key = null) =>
        Assert.Equal(error, (await Assert.ThrowsAsync<SealingException>(() => OpenAsync(file, trust, key))).Error);

    /// <summary>Parts of a file, as the format document names them.</summary>
    public static Layout LayoutOf(byte[] file)
    {
        int header = BitConverter.ToInt32(file, 12);
        int trust = SealedFormat.TrustBlockSize((SignatureAlgorithm)file[11]);
        SealedInspection seen = SealedFile.Inspect(new MemoryStream(file));
        return new Layout(header, header + SealedFormat.CommitmentSize, header + trust - MakerPublicKey.SignatureSize, header + trust, (int)SealedFormat.ChunksAt(header, seen.Header));
    }

    /// <summary>Signs changed bytes again, as only the maker could: what is left is the check under test.</summary>
    public static byte[] SignAgain(byte[] file, MakerKey maker, bool rebuildTree = false)
    {
        byte[] changed = [.. file];
        int headerSize = BitConverter.ToInt32(file, 12), at = headerSize;
        if (rebuildTree)
        {
            Layout layout = LayoutOf(file);
            int count = (layout.Chunks - layout.Leaves) / 32;
            const int Chunk = SealedFormat.ChunkSize + SealedFormat.TagSize;
            for (int i = 0; i < count; i++)
            {
                int start = layout.Chunks + (i * Chunk);
                HashTree.Leaf([HashTree.LeafPrefix, .. changed[start..Math.Min(start + Chunk, changed.Length)]], changed.AsSpan(layout.Leaves + (32 * i), 32));
            }
            HashTree.Root(changed.AsSpan(layout.Leaves, 32 * count)).CopyTo(changed, layout.Root);
        }
        byte[] digest = SealedFormat.HeaderDigest(changed[..headerSize]);
        byte[] signature = maker.Sign(SealedFormat.SignedMessage(digest, changed[at..(at + 32)], changed[(at + 32)..(at + 64)]));
        signature.CopyTo(changed, headerSize + SealedFormat.TrustBlockSize(maker.Public.Algorithm) - 64);
        return changed;
    }

    /// <summary>A file with a header that the writer would refuse, signed by the maker.</summary>
    public static byte[] WithHeader(SealedHeader header, MakerKey maker, Action<byte[]>? edit = null)
    {
        byte[] bytes = SealedHeaderCodec.Write(header);
        edit?.Invoke(bytes);
        byte[] front = [.. bytes, .. new byte[64], .. maker.Public.SubjectPublicKeyInfo.Span, .. new byte[64]];
        return SignAgain([.. front, .. new byte[200]], maker);
    }

    public static SealedHeader Header(MakerKey maker, params string[] names) => new(1, maker.Public.Algorithm, SealedFile.KeyIdOf(Key), "name", 1, SealedFormat.ChunkSize,
        Salt, [.. names.Select(name => new SealedEntry(name, 1))]);

    private static byte[] Fill(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    internal sealed record Layout(int Commitment, int Root, int Signature, int Leaves, int Chunks);
}

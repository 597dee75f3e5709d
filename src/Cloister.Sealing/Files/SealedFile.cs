namespace Cloister.Sealing;

/// <summary>
/// Sealed files: content encrypted under a key and signed by its maker, opened only in memory. Format: docs/formats/sealed-file.md.
/// Neither who holds the key nor who stores the file can put other content under the maker's name.
/// </summary>
public static class SealedFile
{
    /// <summary>Bytes in a key.</summary>
    public const int KeySize = SealedFormat.KeySize;

    // A sealed file is meant to be handed around; what protects it is its key.
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Encrypts and signs. The content is streamed: memory does not grow with it.</summary>
    /// <param name="output">An empty stream that can seek and write. What an interrupted call leaves in it does not open.</param>
    /// <param name="content">What to seal.</param>
    /// <param name="key">32 random bytes; one key may seal any number of files.</param>
    /// <param name="maker">Who signs.</param>
    /// <param name="progress">Told how many bytes of plaintext are sealed.</param>
    /// <param name="cancellation">Stops the sealing.</param>
    /// <returns>The model digest, 64 lower-case hex digits.</returns>
    /// <exception cref="SealingException">A name or length that the format refuses, a source with other than its declared length, a key of another length.</exception>
    public static Task<string> SealAsync(Stream output, SealedContent content, ReadOnlyMemory<byte> key, MakerKey maker, IProgress<long>? progress = null, CancellationToken cancellation = default) =>
        SealedWriter.SealAsync(output, content, key, maker, System.Security.Cryptography.RandomNumberGenerator.GetBytes(SealedFormat.SaltSize), progress, cancellation);

    /// <summary>As the overload for streams, into a file that appears under its name only when it is complete.</summary>
    /// <inheritdoc cref="SealAsync(Stream, SealedContent, ReadOnlyMemory{byte}, MakerKey, IProgress{long}?, CancellationToken)"/>
    public static async Task<string> SealAsync(string path, SealedContent content, ReadOnlyMemory<byte> key, MakerKey maker, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        string digest = "";
        await AtomicFile.WriteAsync(path, async (output, token) => digest = await SealAsync(output, content, key, maker, progress, token), Readable, cancellation);
        return digest;
    }

    /// <summary>Checks signature, digest, name, version, length, tree and key, in this order, and opens the content for reading.</summary>
    /// <param name="file">A stream that can seek and holds nothing but the sealed file. The reader closes it; if opening fails it stays open.</param>
    /// <param name="trust">What the reader insists on.</param>
    /// <param name="key">The key, 32 bytes; it is not kept.</param>
    /// <param name="cancellation">Stops the opening.</param>
    /// <exception cref="SealingException">The file is refused; its error says why.</exception>
    /// <exception cref="PlatformNotSupportedException">An Ed25519 maker where libcrypto 3 is absent.</exception>
    public static async Task<SealedReader> OpenAsync(Stream file, SealedTrust trust, ReadOnlyMemory<byte> key, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(trust);
        ArgumentNullException.ThrowIfNull(trust.Maker);
        FileKeys.CheckLength(key);
        SeekableBytes bytes = SeekableBytes.Over(file);
        SealedFront front = await SealedFront.ReadAsync(bytes, trust, cancellation);
        return new SealedReader(bytes, front, front.DeriveKeys(key.Span));
    }

    /// <summary>As the overload for streams, from a file's path.</summary>
    /// <inheritdoc cref="OpenAsync(Stream, SealedTrust, ReadOnlyMemory{byte}, CancellationToken)"/>
    public static async Task<SealedReader> OpenAsync(string path, SealedTrust trust, ReadOnlyMemory<byte> key, CancellationToken cancellation = default)
    {
        var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.Read, BufferSize = 0, Options = FileOptions.SequentialScan });
        try
        {
            return await OpenAsync(file, trust, key, cancellation);
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    /// <summary>What a file says of itself, who signed it and whether the signature is valid, without its key. The chunks are not read.</summary>
    /// <param name="file">A stream that can seek; it stays open.</param>
    /// <exception cref="SealingException">The file is malformed or cut.</exception>
    public static SealedInspection Inspect(Stream file)
    {
        SealedFront front = SealedFront.Read(SeekableBytes.Over(file));
        return new SealedInspection(front.Header, front.Maker, front.SignatureValid, Convert.ToHexStringLower(front.Digest));
    }

    /// <summary>The id by which a sealed file names its key: 32 lower-case hex digits that do not tell the key.</summary>
    /// <exception cref="SealingException"><see cref="SealingError.KeyLength"/>: not 32 bytes.</exception>
    public static string KeyIdOf(ReadOnlyMemory<byte> key)
    {
        FileKeys.CheckLength(key);
        return Convert.ToHexStringLower(SealedFormat.KeyId(key.Span));
    }

    /// <summary>Fuzz target: any bytes are refused as documented, or have the one encoding of the header that was read from them.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        using var file = new MemoryStream(data.ToArray(), writable: false);
        try
        {
            SealedInspection seen = Inspect(file);
            if (!data.StartsWith(SealedHeaderCodec.Write(seen.Header)))
                throw new InvalidOperationException("A header was accepted in a second encoding.");
        }
        catch (SealingException refused) when (refused.Error != SealingError.PlatformFailure)
        {
        }
    }
}

using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>
/// Everything in front of the chunks: header, trust block, table of leaf hashes. The framing depends on the first 16 bytes alone,
/// so the maker's signature is checked before anything else is parsed.
/// </summary>
internal sealed class SealedFront
{
    private readonly byte[] commitment, root;

    private SealedFront(byte[] headerBytes, ReadOnlySpan<byte> trustBlock, SignatureAlgorithm algorithm)
    {
        HeaderBytes = headerBytes;
        HeaderDigest = SealedFormat.HeaderDigest(headerBytes);
        commitment = trustBlock[..SealedFormat.CommitmentSize].ToArray();
        root = trustBlock.Slice(SealedFormat.CommitmentSize, SealedFormat.DigestSize).ToArray();
        ReadOnlySpan<byte> signer = trustBlock[(SealedFormat.CommitmentSize + SealedFormat.DigestSize)..];
        ReadOnlySpan<byte> signature = signer[^MakerPublicKey.SignatureSize..];
        Maker = MakerPublicKey.FromSpki(signer[..^MakerPublicKey.SignatureSize]);
        if (Maker.Algorithm != algorithm)
            throw new SealingException(SealingError.MalformedMakerKey, "The maker's key in the file is not of the header's signature algorithm.");
        SignatureValid = Maker.Verify(SealedFormat.SignedMessage(HeaderDigest, commitment, root), signature);
        Digest = SealedFormat.ModelDigest(HeaderDigest, commitment, root);
    }

    public byte[] HeaderBytes { get; }

    public byte[] HeaderDigest { get; }

    public MakerPublicKey Maker { get; }

    public bool SignatureValid { get; }

    public byte[] Digest { get; }

    public SealedHeader Header
    {
        get => field ?? throw new InvalidOperationException("The header is parsed after its signature.");
        private set;
    }

    /// <summary>32 bytes a chunk, already found to lead to the root.</summary>
    public ReadOnlyMemory<byte> Leaves { get; private set; }

    public long ChunksAt => SealedFormat.ChunksAt(HeaderBytes.Length, Header);

    /// <summary>Without a key or trust.</summary>
    public static SealedFront Read(SeekableBytes file)
    {
        byte[] start = new byte[(int)Math.Min(file.Length, SealedFormat.PreambleSize)];
        file.Read(0, start);
        byte[] signed = AllocateSigned(start, file.Length, out SealedHeaderCodec.Preamble preamble);
        file.Read(0, signed);
        SealedFront front = Split(signed, preamble);
        byte[] leaves = front.Parse(file.Length);
        file.Read(front.LeavesAt, leaves);
        front.CheckTree(leaves);
        return front;
    }

    /// <summary>With trust: who signed, what digest, and only then what the header says.</summary>
    public static async ValueTask<SealedFront> ReadAsync(SeekableBytes file, SealedTrust trust, CancellationToken cancellation)
    {
        byte[] start = new byte[(int)Math.Min(file.Length, SealedFormat.PreambleSize)];
        await file.ReadAsync(0, start, cancellation);
        byte[] signed = AllocateSigned(start, file.Length, out SealedHeaderCodec.Preamble preamble);
        await file.ReadAsync(0, signed, cancellation);
        SealedFront front = Split(signed, preamble);
        front.CheckMaker(trust);
        byte[] leaves = front.Parse(file.Length);
        front.CheckContent(trust);
        await file.ReadAsync(front.LeavesAt, leaves, cancellation);
        front.CheckTree(leaves);
        return front;
    }

    /// <summary>The file's own keys, if this is the key it was sealed with.</summary>
    public FileKeys DeriveKeys(ReadOnlySpan<byte> key)
    {
        byte[] id = SealedFormat.KeyId(key);
        if (!CryptographicOperations.FixedTimeEquals(id, Convert.FromHexString(Header.KeyId)))
            throw new SealingException(SealingError.WrongKey, $"The file was sealed with key {Header.KeyId}, this is key {Convert.ToHexStringLower(id)}. Ask the maker for the right one.");
        FileKeys keys = FileKeys.Derive(key, Header.Salt.Span, HeaderDigest);
        if (CryptographicOperations.FixedTimeEquals(keys.Commitment, commitment))
            return keys;
        keys.Dispose();
        throw new SealingException(SealingError.KeyCommitment, "The key does not yield the file's key commitment: the file was not sealed with this key. Ask the maker for a new file.");
    }

    private long LeavesAt => HeaderBytes.Length + SealedFormat.TrustBlockSize(Maker.Algorithm);

    private static byte[] AllocateSigned(ReadOnlySpan<byte> start, long fileLength, out SealedHeaderCodec.Preamble preamble)
    {
        preamble = SealedHeaderCodec.ReadPreamble(start);
        int size = preamble.HeaderSize + SealedFormat.TrustBlockSize(preamble.SignatureAlgorithm);
        return size <= fileLength ? new byte[size] : throw SealedHeaderCodec.Truncated();
    }

    // The file may change between the two reads; the second one, which includes the first 16 bytes, is what counts from here on.
    private static SealedFront Split(byte[] signed, SealedHeaderCodec.Preamble preamble)
    {
        if (SealedHeaderCodec.ReadPreamble(signed) != preamble)
            throw new SealingException(SealingError.MalformedHeader, "The file changed while it was being read.");
        return new SealedFront(signed[..preamble.HeaderSize], signed.AsSpan(preamble.HeaderSize), preamble.SignatureAlgorithm);
    }

    private void CheckMaker(SealedTrust trust)
    {
        if (!Maker.Equals(trust.Maker))
            throw new SealingException(SealingError.ForeignMaker, $"The file was signed by {Maker}, not by the trusted maker {trust.Maker}. Get the file from the trusted maker.");
        if (!SignatureValid)
            throw new SealingException(SealingError.BadSignature, "The maker's signature is not valid: the file was changed after it was signed. Copy it again from its maker.");
        if (trust.ExpectedDigest is { } expected && !CryptographicOperations.FixedTimeEquals(Digest, expected.Span))
            throw new SealingException(SealingError.OtherDigest, $"The file's digest is {Convert.ToHexStringLower(Digest)}, expected was {Convert.ToHexStringLower(expected.Span)}. Get the file that the manifest names, or name this one.");
    }

    private void CheckContent(SealedTrust trust)
    {
        if (trust.ExpectedName is { } name && !string.Equals(name, Header.Name, StringComparison.Ordinal))
            throw new SealingException(SealingError.OtherName, $"The content is named \"{Header.Name}\", expected was \"{name}\".");
        if (Header.Version < trust.MinimumVersion)
            throw new SealingException(SealingError.VersionTooOld, $"The content has version {Header.Version}, at least {trust.MinimumVersion} is required. Get the newer file from its maker.");
    }

    /// <summary>Parses the header and compares the file's length with it; gives the room for the leaf table, which the length has then shown to be in the file.</summary>
    private byte[] Parse(long fileLength)
    {
        SealedHeader header = SealedHeaderCodec.Read(HeaderBytes);
        long expected = SealedFormat.FileLength(HeaderBytes.Length, header);
        if (fileLength < expected)
            throw SealedHeaderCodec.Truncated();
        if (fileLength > expected)
            throw new SealingException(SealingError.TrailingBytes, $"The file has {fileLength - expected} bytes after its content. Copy it again from its maker.");
        Header = header;
        return new byte[header.ChunkCount * SealedFormat.DigestSize];
    }

    private void CheckTree(byte[] leaves)
    {
        if (!CryptographicOperations.FixedTimeEquals(HashTree.Root(leaves), root))
            throw new SealingException(SealingError.TreeMismatch, "The table of chunk hashes does not lead to the signed tree root: the file was changed. Copy it again from its maker.");
        Leaves = leaves;
    }
}

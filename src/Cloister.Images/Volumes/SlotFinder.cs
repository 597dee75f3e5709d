namespace Cloister.Images.Volumes;

/// <summary>Finds the slot that counts, or says what kind of wrong disk it is.</summary>
internal sealed class SlotFinder(IBlockDevice device, DiskLayout layout, DiskIdentity identity)
{
    private const string NewestAsked = "Give the machine the disk that it wrote last.";

    /// <summary>Before the first commit: a disk that holds nothing, or what was written and never counted.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.DiskNotEmpty"/>: it holds something. It is not overwritten.</exception>
    public void RequireFresh(ReadOnlySpan<byte> key)
    {
        foreach (ulong version in (ReadOnlySpan<ulong>)[0, 1])
        {
            byte[] block = Block(version);
            // This disk's own first commit, cut off before it counted, is as good as nothing.
            if (IsZero(block) || (version == 1 && OwnVersion(block, key) == 1))
                continue;
            throw new ImageException(ImageError.DiskNotEmpty,
                $"The disk given as '{identity.Name}' holds something, and the coordinator knows of no version of it. Either this is another coordinator or, for a disk of each machine, another UUID than the disk was written under; or it is no sealed disk. It was left as it is.");
        }
    }

    /// <summary>Opens the slot of the commit that counts.</summary>
    /// <exception cref="ImageException">It is not there.</exception>
    public SlotReader Open(ReadOnlySpan<byte> key, DiskState current, CancellationToken cancellation)
    {
        byte[] block = Block(current.Version);
        if (TryRead(block) is { } header && header.Version == current.Version
            && DiskKeys.DigestOf(identity, header).AsSpan().SequenceEqual(current.Digest.Span))
        {
            DiskKeys keys = DiskKeys.Open(key, identity, header) ?? throw Foreign("it was sealed under another key");
            try
            {
                return new SlotReader(device, layout, header, keys, cancellation);
            }
            catch
            {
                keys.Dispose();
                throw;
            }
        }
        throw Why(key, current, block, Block(current.Version + 1));
    }

    private ImageException Why(ReadOnlySpan<byte> key, DiskState current, byte[] expected, byte[] other)
    {
        if (IsZero(expected) && IsZero(other))
            return new ImageException(ImageError.DiskEmpty, $"The disk given as '{identity.Name}' is empty; the coordinator knows version {current.Version} of it. {NewestAsked}");
        if (IsNewerFormat(expected) || IsNewerFormat(other))
            return new ImageException(ImageError.DiskFormat, $"The disk given as '{identity.Name}' has a format that this image does not know. Start the image that wrote it.");
        ulong newest = Math.Max(OwnVersion(expected, key), OwnVersion(other, key));
        if (newest >= current.Version)
            return new ImageException(ImageError.DiskConflict,
                $"The disk given as '{identity.Name}' holds version {newest}, and not the commit of version {current.Version} that counts: a machine wrote it that came too late, or it was changed. {NewestAsked}");
        // An old disk is whole; one whose other slot is this disk's, and this one nobody's, was damaged.
        if (newest > 0 && (IsZero(expected) || OwnVersion(expected, key) > 0))
            return new ImageException(ImageError.DiskOld, $"The disk given as '{identity.Name}' is an old one: version {newest}, while {current.Version} counts. {NewestAsked}");
        if (newest > 0 || !DiskHeader.IsHeader(expected))
            return new ImageException(ImageError.DiskChanged, $"The disk given as '{identity.Name}' was changed: the slot of version {current.Version}, which counts, is not what was sealed. {NewestAsked}");
        return Foreign(DiskHeader.KeyIdOf(expected).SequenceEqual(DiskKeys.KeyId(key)) ? "it is another disk's, product's, workload's or machine's" : "it was sealed under another key");
    }

    private static bool IsZero(byte[] block) => !block.AsSpan().ContainsAnyExcept((byte)0);

    private static bool IsNewerFormat(byte[] block)
    {
        try
        {
            if (DiskHeader.IsHeader(block)) _ = DiskHeader.Read(block);
            return false;
        }
        catch (ImageException refused)
        {
            return refused.Error == ImageError.DiskFormat;
        }
    }

    // The version of a slot of this very disk; 0 if it is none.
    private ulong OwnVersion(byte[] block, ReadOnlySpan<byte> key)
    {
        if (TryRead(block) is not { } header)
            return 0;
        using DiskKeys? keys = DiskKeys.Open(key, identity, header);
        return keys is null ? 0 : header.Version;
    }

    private static DiskHeader? TryRead(byte[] block)
    {
        try
        {
            return DiskHeader.Read(block);
        }
        catch (ImageException)
        {
            return null;
        }
    }

    private ImageException Foreign(string why) => new(ImageError.DiskForeign, $"The disk given as '{identity.Name}' is foreign: {why}. {NewestAsked}");

    private byte[] Block(ulong version)
    {
        byte[] block = new byte[IBlockDevice.BlockSize];
        device.Read(layout.SlotOf(version), block);
        return block;
    }
}

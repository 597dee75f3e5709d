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
            if (!block.AsSpan().ContainsAnyExcept((byte)0) || (version == 1 && IsFirstAttempt(block, key)))
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
        if (DiskHeader.IsHeader(block) && DiskHeader.Read(block) is var header && header.Version == current.Version
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
        if (!expected.AsSpan().ContainsAnyExcept((byte)0) && !other.AsSpan().ContainsAnyExcept((byte)0))
            return new ImageException(ImageError.DiskEmpty, $"The disk given as '{identity.Name}' is empty; the coordinator knows version {current.Version} of it. {NewestAsked}");
        ulong newest = 0;
        foreach (byte[] block in (ReadOnlySpan<byte[]>)[expected, other])
        {
            if (!DiskHeader.IsHeader(block))
                continue;
            DiskHeader header;
            try
            {
                header = DiskHeader.Read(block);
            }
            catch (ImageException refused) when (block == expected || refused.Error == ImageError.DiskFormat)
            {
                return refused;
            }
            catch (ImageException)
            {
                continue;
            }
            if (!header.KeyId.AsSpan().SequenceEqual(DiskKeys.KeyId(key)))
                return Foreign("it was sealed under another key");
            using DiskKeys? keys = DiskKeys.Open(key, identity, header);
            if (keys is null)
                return Foreign("it is another disk's, product's, workload's or machine's");
            newest = Math.Max(newest, header.Version);
        }
        return newest switch
        {
            0 => new ImageException(ImageError.DiskChanged, $"The disk given as '{identity.Name}' has no slot of version {current.Version}, which is the one that counts. {NewestAsked}"),
            _ when newest < current.Version => new ImageException(ImageError.DiskOld, $"The disk given as '{identity.Name}' is an old one: version {newest}, while {current.Version} counts. {NewestAsked}"),
            _ => new ImageException(ImageError.DiskConflict, $"The disk given as '{identity.Name}' was written by a machine whose commit never counted, and does not hold version {current.Version}, which does. {NewestAsked}"),
        };
    }

    // The key's own first commit, cut off before it counted.
    private bool IsFirstAttempt(byte[] block, ReadOnlySpan<byte> key)
    {
        if (!DiskHeader.IsHeader(block) || DiskHeader.Read(block) is not { Version: 1 } header)
            return false;
        using DiskKeys? keys = DiskKeys.Open(key, identity, header);
        return keys is not null;
    }

    private ImageException Foreign(string why) => new(ImageError.DiskForeign, $"The disk given as '{identity.Name}' is foreign: {why}. {NewestAsked}");

    private byte[] Block(ulong version)
    {
        byte[] block = new byte[IBlockDevice.BlockSize];
        device.Read(layout.SlotOf(version), block);
        return block;
    }
}

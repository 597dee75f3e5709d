using System.Security.Cryptography;
using Cloister.Sealing;

namespace Cloister.Images.Volumes;

/// <summary>
/// A folder that is kept, sealed, on a disk which its host may copy, change, exchange or put back at will. Which commit counts is remembered
/// elsewhere (<see cref="IDiskCounter"/>), so that nothing but the newest opens. Not for two calls at once.
/// </summary>
public sealed class SealedDisk : IDisposable
{
    private readonly IBlockDevice _device;
    private readonly DiskLayout _layout;
    private readonly DiskIdentity _identity;
    private readonly SecretBytes _key;
    private readonly IDiskCounter _counter;
    private DiskState? _pending;
    private bool _asked;

    private SealedDisk(IBlockDevice device, DiskLayout layout, DiskIdentity identity, SecretBytes key, IDiskCounter counter, DiskState current)
    {
        (_device, _layout, _identity, _key, _counter) = (device, layout, identity, key, counter);
        Current = current;
    }

    /// <summary>The state that counts, as far as this machine knows.</summary>
    public DiskState Current { get; private set; }

    /// <summary>Whether another machine has committed the disk: nothing that this one holds will be kept.</summary>
    public bool Lost { get; private set; }

    /// <summary>Opens a disk and fills an empty folder with what was committed last. Whatever is refused leaves the folder empty.</summary>
    /// <param name="device">The disk; it stays the caller's where this throws, and is disposed with the sealed disk otherwise.</param>
    /// <param name="layout">Its layout.</param>
    /// <param name="identity">Which disk it has to be.</param>
    /// <param name="key">32 bytes; a copy is kept and zeroed with the sealed disk.</param>
    /// <param name="counter">Remembers which commit counts.</param>
    /// <param name="folder">An empty folder that nobody else uses yet.</param>
    /// <param name="cancellation">Ends the opening.</param>
    /// <exception cref="ImageException">One of <see cref="ImageError"/> 500 to 549.</exception>
    public static async Task<SealedDisk> OpenAsync(IBlockDevice device, DiskLayout layout, DiskIdentity identity, ReadOnlyMemory<byte> key,
        IDiskCounter counter, string folder, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(counter);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (key.Length != DiskKeys.KeySize)
            throw new ImageException(ImageError.DiskKey, $"The key of the sealed disk '{identity.Name}' has {key.Length} bytes, not {DiskKeys.KeySize}. Give 64 hexadecimal digits.");
        if (device.Length != layout.DiskSize)
            throw new ImageException(ImageError.DiskSize, $"The sealed disk '{identity.Name}' has {device.Length} bytes; its definition leads to {layout.DiskSize}. Give the disk that was made for it.");

        DiskState current = await counter.ReadAsync(cancellation);
        // Devices are read and written without waiting turns: a thread of its own does it.
        await Task.Run(() => Fill(device, layout, identity, key, current, folder, cancellation), cancellation);
        return new SealedDisk(device, layout, identity, SecretBytes.Copy(key.Span), counter, current);
    }

    /// <summary>
    /// Writes the folder as the next commit into the slot that does not count. Nothing counts before <see cref="PublishAsync"/>.
    /// Whoever may change the folder is best held while this runs: then the commit is the folder at one moment.
    /// </summary>
    /// <exception cref="ImageException"><see cref="ImageError.DiskFull"/>, <see cref="ImageError.DiskContent"/>, <see cref="ImageError.DiskFailed"/>, <see cref="ImageError.DiskConflict"/>; the disk is what it was.</exception>
    /// <exception cref="InvalidOperationException">Whether the commit before counts is not known yet: <see cref="PublishAsync"/> finds out.</exception>
    public async Task WriteAsync(string folder, CancellationToken cancellation = default)
    {
        RefuseIfLost();
        if (_asked)
            throw new InvalidOperationException("Whether the commit before counts is not known yet. Publish it again first.");
        _pending = null;
        _pending = await Task.Run(() => Write(folder, cancellation), cancellation);
    }

    /// <summary>Makes what was written last on the disk, and then the state that counts. Where it failed it may be called again, and says the truth then; without something written it does nothing.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.DiskCounter"/>: not known whether it counts; <see cref="ImageError.DiskConflict"/>: another machine came first; <see cref="ImageError.DiskFailed"/>.</exception>
    public async Task PublishAsync(CancellationToken cancellation = default)
    {
        RefuseIfLost();
        if (_pending is not { } next)
            return;
        if (!_asked)
            await Task.Run(() => Guard(_device.Flush), cancellation);
        // From here the raise may arrive whatever becomes of this call, so this slot must not be written before its fate is known.
        _asked = true;
        DiskState counts = await _counter.RaiseAsync(Current, next, cancellation);
        (_pending, _asked) = (null, false);
        if (counts != next)
        {
            Lost = true;
            RefuseIfLost();
        }
        Current = next;
    }

    /// <summary>Finishes a commit whose fate was not known, writes the folder and publishes it.</summary>
    /// <inheritdoc cref="WriteAsync" path="/exception"/>
    public async Task CommitAsync(string folder, CancellationToken cancellation = default)
    {
        if (_asked)
            await PublishAsync(cancellation);
        await WriteAsync(folder, cancellation);
        await PublishAsync(cancellation);
    }

    /// <summary>Zeroes the key and closes the device.</summary>
    public void Dispose()
    {
        _key.Dispose();
        _device.Dispose();
    }

    private static void Fill(IBlockDevice device, DiskLayout layout, DiskIdentity identity, ReadOnlyMemory<byte> key, DiskState current, string folder, CancellationToken cancellation)
    {
        SlotFinder finder = new(device, layout, identity);
        if (current.Version == 0)
        {
            Guard(() => finder.RequireFresh(key.Span));
            return;
        }
        using var reader = Guard(() => finder.Open(key.Span, current, cancellation));
        using FolderBuilder builder = FolderBuilder.Open(folder);
        try
        {
            Guard(() => ArchiveReader.Read(reader, builder, layout, cancellation));
        }
        catch
        {
            builder.Clear();
            throw;
        }
    }

    private DiskState Write(string folder, CancellationToken cancellation) => Guard(() =>
    {
        using var slot = new SlotWriter(_device, _layout, _identity, _key.Span, checked(Current.Version + 1), RandomNumberGenerator.GetBytes(DiskHeader.SaltSize), cancellation);
        using (var buffered = new BufferedStream(slot, 64 << 10))
        {
            ArchiveWriter.Write(folder, buffered, _layout, cancellation);
            buffered.Flush();
            return slot.Finish();
        }
    });

    private void RefuseIfLost()
    {
        if (Lost)
            throw new ImageException(ImageError.DiskConflict,
                $"Another machine committed the sealed disk '{_identity.Name}' after version {Current.Version}. What this one holds is not kept: stop it, and let one machine alone use the disk.");
    }

    private static void Guard(Action work) => Guard(() =>
    {
        work();
        return true;
    });

    private static T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(ImageError.DiskFailed, $"The sealed disk could not be read or written: {error.Message}", error);
        }
    }
}

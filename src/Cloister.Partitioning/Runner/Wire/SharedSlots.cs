using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Partitioning.Runner.Wire;

/// <summary>
/// Memory that both sides see. Where a slot lies follows from the offer that the workload made, never from a later word; what the other
/// side wrote is copied out before anybody looks at it, since it may write on.
/// </summary>
internal sealed unsafe class SharedSlots : IDisposable
{
    private const string Folder = "/dev/shm";

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly SafeMemoryMappedViewHandle _handle;
    private readonly byte* _start;
    private bool _disposed;

    private SharedSlots(FileStream file, MemoryOffer offer)
    {
        Offer = offer;
        _file = MemoryMappedFile.CreateFromFile(file, null, offer.TotalBytes, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);
        try
        {
            _view = _file.CreateViewAccessor(0, offer.TotalBytes, MemoryMappedFileAccess.ReadWrite);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
        _handle = _view.SafeMemoryMappedViewHandle;
        byte* start = null;
        _handle.AcquirePointer(ref start);
        _start = start + _view.PointerOffset;
    }

    /// <summary>How the memory is cut.</summary>
    public MemoryOffer Offer { get; }

    private string Path => PathOf(Offer);

    /// <summary>Makes memory, for this user alone, all of it taken from the system now.</summary>
    /// <param name="slots">How many slots.</param>
    /// <param name="inputBytes">Room for inputs; rounded up to pages.</param>
    /// <param name="outputBytes">Room for outputs; rounded up to pages.</param>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.AddressUnusable"/>: this system has no such memory, or not so much.</exception>
    public static SharedSlots Create(int slots, long inputBytes, long outputBytes)
    {
        if (!OperatingSystem.IsLinux())
            throw new PartitioningException(PartitioningError.AddressUnusable, "Shared memory with an accelerator needs Linux's /dev/shm; use unix: or tcp:.");
        var offer = new MemoryOffer(slots, Pages(inputBytes), Pages(outputBytes), Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        string path = PathOf(offer);
        try
        {
            FileStream file = new(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.ReadWrite | FileShare.Delete,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                PreallocationSize = offer.TotalBytes, // a page that is missing later would end the process
                BufferSize = 0,
            });
            try
            {
                file.SetLength(offer.TotalBytes);
                return new SharedSlots(file, offer);
            }
            catch
            {
                file.Dispose();
                File.Delete(path);
                throw;
            }
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException)
        {
            throw new PartitioningException(PartitioningError.AddressUnusable, $"{offer.TotalBytes} bytes of shared memory cannot be had: {unusable.Message}", unusable);
        }
    }

    /// <summary>Opens memory that the workload made.</summary>
    /// <exception cref="WireException"><see cref="AcceleratorFault.BadFrame"/>: there is none of that name and length that this user may use.</exception>
    public static SharedSlots Open(MemoryOffer offer)
    {
        try
        {
            var info = new FileInfo(PathOf(offer));
            if (!info.Exists || info.LinkTarget is not null)
                throw new WireException(AcceleratorFault.BadFrame, "There is no shared memory of that name.");
            FileStream file = new(info.FullName, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 });
            try
            {
                return file.Length == offer.TotalBytes
                    ? new SharedSlots(file, offer)
                    : throw new WireException(AcceleratorFault.BadFrame, $"The shared memory has {file.Length} bytes, {offer.TotalBytes} were offered.");
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException)
        {
            throw new WireException(AcceleratorFault.BadFrame, $"The shared memory cannot be opened: {unusable.Message}", unusable);
        }
    }

    /// <summary>Takes the name away: nobody else can open the memory then, and it ends with the last of the two that use it.</summary>
    public void Unlink() => File.Delete(Path);

    /// <summary>Where the inputs of a slot lie; only until <see cref="Dispose"/>.</summary>
    public Span<byte> Inputs(int slot) => new(Slot(slot), (int)Offer.InputBytes);

    /// <summary>Where the outputs of a slot lie; only until <see cref="Dispose"/>.</summary>
    public Span<byte> Outputs(int slot) => new(Slot(slot) + Offer.InputBytes, (int)Offer.OutputBytes);

    /// <summary>Lets go of the memory. Nobody may use a span of it any more.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, true)) return;
        _handle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
        Unlink();
    }

    private static string PathOf(MemoryOffer offer) => $"{Folder}/cloister-{offer.Name}";

    private static long Pages(long bytes) => (Math.Max(1, bytes) + MemoryOffer.Page - 1) / MemoryOffer.Page * MemoryOffer.Page;

    private byte* Slot(int slot)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slot);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(slot, Offer.Slots);
        return _start + (slot * (Offer.InputBytes + Offer.OutputBytes));
    }
}

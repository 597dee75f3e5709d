using System.Text;

namespace Cloister.Images.Volumes;

/// <summary>Which disk a disk is. All of it is bound into the keys of every commit, so no disk opens as another.</summary>
/// <param name="Name">The disk's name in the image's definition.</param>
/// <param name="Product">The image's product.</param>
/// <param name="Workload">The workload type that it belongs to.</param>
/// <param name="Machine">With <see cref="DiskScope.Machine"/> the workload's UUID; otherwise null.</param>
public sealed record DiskIdentity(string Name, int Product, string Workload, Guid? Machine)
{
    /// <summary>Longest name: what a virtio block device has room for as its serial number.</summary>
    public const int MaxName = 20;

    /// <summary>The parts, in the order in which keys are derived from them.</summary>
    internal byte[][] Parts() =>
    [
        Encoding.UTF8.GetBytes(Name),
        BitConverter.IsLittleEndian ? BitConverter.GetBytes((uint)Product) : throw new PlatformNotSupportedException("Sealed disks are little-endian."),
        Encoding.UTF8.GetBytes(Workload),
        Machine?.ToByteArray(bigEndian: true) ?? [],
    ];
}

using System.Buffers.Binary;
using System.Text;

namespace Cloister.Images.Build;

/// <summary>
/// Makes a disk that firmware boots from: FAT16 without a partition table, on it <c>\EFI\BOOT\BOOTX64.EFI</c> and nothing else (Microsoft's FAT
/// specification 1.03; UEFI 2.10, 3.5.1.1). Serial number and times are fixed: equal images are equal disks.
/// </summary>
internal static class BootDisk
{
    private const int Sector = 512, RootEntries = 64, Fats = 2, EntrySize = 32, SmallestSectors = 0x10000;

    // A FAT16 has that many clusters, neither fewer nor more: their number alone tells the kinds of FAT apart.
    private const int FewestClusters = 4085, MostClusters = 65524;

    private const ushort EndOfChain = 0xFFFF;

    // 1980-01-01, the first day that FAT knows.
    private const ushort FirstDay = 0x21;

    private const byte Folder = 0x10, Archive = 0x20, FixedDisk = 0xF8;

    /// <exception cref="ImageException"><see cref="ImageError.SourceTooLarge"/>: it does not fit on a FAT16.</exception>
    public static byte[] Make(ReadOnlySpan<byte> uki)
    {
        int perCluster = 1;
        while ((long)perCluster * Sector * (MostClusters - 2) < uki.Length) perCluster *= 2;
        if (perCluster > 64) throw new ImageException(ImageError.SourceTooLarge, $"an image of {uki.Length:N0} bytes does not fit on a disk to boot from.");
        int cluster = perCluster * Sector, needed = 2 + (uki.Length + cluster - 1) / cluster;
        int clusters = Math.Max(needed, FewestClusters + 16);
        int fatSectors = ((clusters + 2) * 2 + Sector - 1) / Sector, rootSectors = RootEntries * EntrySize / Sector;
        int data = 1 + Fats * fatSectors + rootSectors, sectors = data + clusters * perCluster;
        byte[] disk = new byte[(long)sectors * Sector];
        WriteBoot(disk, perCluster, fatSectors, sectors);

        // Clusters 2 and 3 are the two folders, the program follows in one piece.
        Span<byte> fat = disk.AsSpan(Sector, fatSectors * Sector);
        Set(fat, 0, 0xFF00 | FixedDisk);
        Set(fat, 1, EndOfChain);
        Set(fat, 2, EndOfChain);
        Set(fat, 3, EndOfChain);
        int last = needed + 1;
        for (int at = 4; at <= last; at++)
            Set(fat, at, at == last ? EndOfChain : (ushort)(at + 1));
        fat.CopyTo(disk.AsSpan((1 + fatSectors) * Sector));

        Span<byte> root = disk.AsSpan((1 + Fats * fatSectors) * Sector);
        WriteEntry(root, "EFI        ", Folder, 2, 0);
        Span<byte> efi = disk.AsSpan(data * Sector), boot = efi[cluster..], program = efi[(2 * cluster)..];
        WriteEntry(efi, ".          ", Folder, 2, 0);
        WriteEntry(efi[EntrySize..], "..         ", Folder, 0, 0);
        WriteEntry(efi[(2 * EntrySize)..], "BOOT       ", Folder, 3, 0);
        WriteEntry(boot, ".          ", Folder, 3, 0);
        WriteEntry(boot[EntrySize..], "..         ", Folder, 2, 0);
        WriteEntry(boot[(2 * EntrySize)..], "BOOTX64 EFI", Archive, 4, (uint)uki.Length);
        uki.CopyTo(program);
        return disk;
    }

    private static void WriteBoot(Span<byte> boot, int perCluster, int fatSectors, int sectors)
    {
        ReadOnlySpan<byte> jump = [0xEB, 0x3C, 0x90];
        jump.CopyTo(boot);
        "MSWIN4.1"u8.CopyTo(boot[3..]);
        BinaryPrimitives.WriteUInt16LittleEndian(boot[11..], Sector);
        boot[13] = (byte)perCluster;
        BinaryPrimitives.WriteUInt16LittleEndian(boot[14..], 1);
        boot[16] = Fats;
        BinaryPrimitives.WriteUInt16LittleEndian(boot[17..], RootEntries);
        BinaryPrimitives.WriteUInt16LittleEndian(boot[19..], (ushort)(sectors < SmallestSectors ? sectors : 0));
        boot[21] = FixedDisk;
        BinaryPrimitives.WriteUInt16LittleEndian(boot[22..], (ushort)fatSectors);
        BinaryPrimitives.WriteUInt16LittleEndian(boot[24..], 63);
        BinaryPrimitives.WriteUInt16LittleEndian(boot[26..], 255);
        BinaryPrimitives.WriteUInt32LittleEndian(boot[32..], sectors < SmallestSectors ? 0 : (uint)sectors);
        (boot[36], boot[38]) = (0x80, 0x29);
        "CLSRNO NAME    FAT16   "u8.CopyTo(boot[39..]);
        BinaryPrimitives.WriteUInt16LittleEndian(boot[510..], 0xAA55);
    }

    private static void WriteEntry(Span<byte> entry, string name, byte attributes, ushort cluster, uint size)
    {
        Encoding.ASCII.GetBytes(name, entry);
        entry[11] = attributes;
        foreach (int date in new[] { 16, 18, 24 })
            BinaryPrimitives.WriteUInt16LittleEndian(entry[date..], FirstDay);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[26..], cluster);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[28..], size);
    }

    private static void Set(Span<byte> fat, int cluster, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(fat[(2 * cluster)..], value);
}

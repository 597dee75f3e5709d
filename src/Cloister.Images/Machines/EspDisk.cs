using System.Buffers.Binary;
using System.Text;

namespace Cloister.Images.Machines;

/// <summary>A disk with one file, <c>\EFI\BOOT\BOOTX64.EFI</c>: FAT16 without a partition table, which UEFI firmware boots. The same bytes from the same file.</summary>
internal static class EspDisk
{
    private const int Sector = 512, RootEntries = 512, EntrySize = 32, MinimumClusters = 4100, MaximumClusters = 65500;
    private const byte Archive = 0x20, Folder = 0x10;
    private const uint EndOfChain = 0xFFFF;

    /// <summary>Writes the disk with <paramref name="program"/> in it.</summary>
    public static void Write(string program, string disk)
    {
        long length = new FileInfo(program).Length;
        int clusterSize = 4096;
        while ((length + clusterSize - 1) / clusterSize > MaximumClusters - 2)
            clusterSize *= 2;
        int fileClusters = (int)((length + clusterSize - 1) / clusterSize);
        int clusters = Math.Max(MinimumClusters, fileClusters + 2);
        int tableSectors = ((clusters + 2) * 2 + Sector - 1) / Sector;
        using var output = new FileStream(disk, FileMode.Create, FileAccess.Write);
        output.Write(BootSector(clusters, clusterSize / Sector, tableSectors));
        byte[] table = Table(fileClusters, tableSectors);
        output.Write(table);
        output.Write(table);
        Pad(output, [.. Entry("EFI", Folder, 2, 0)], RootEntries * EntrySize);
        Pad(output, [.. Entry(".", Folder, 2, 0), .. Entry("..", Folder, 0, 0), .. Entry("BOOT", Folder, 3, 0)], clusterSize);
        Pad(output, [.. Entry(".", Folder, 3, 0), .. Entry("..", Folder, 2, 0), .. Entry("BOOTX64 EFI", Archive, 4, (uint)length)], clusterSize);
        using (FileStream input = File.OpenRead(program))
            input.CopyTo(output);
        output.SetLength(Sector * (1L + 2 * tableSectors) + RootEntries * EntrySize + (long)clusters * clusterSize);
    }

    private static byte[] BootSector(int clusters, int clusterSectors, int tableSectors)
    {
        byte[] sector = new byte[Sector];
        ((ReadOnlySpan<byte>)[0xEB, 0x3C, 0x90]).CopyTo(sector);
        "CLOISTER"u8.CopyTo(sector.AsSpan(3));
        BinaryPrimitives.WriteUInt16LittleEndian(sector.AsSpan(11), Sector);
        sector[13] = (byte)clusterSectors;
        BinaryPrimitives.WriteUInt16LittleEndian(sector.AsSpan(14), 1); // reserved: this one
        sector[16] = 2; // tables
        BinaryPrimitives.WriteUInt16LittleEndian(sector.AsSpan(17), RootEntries);
        sector[21] = 0xF8; // a fixed disk
        BinaryPrimitives.WriteUInt16LittleEndian(sector.AsSpan(22), (ushort)tableSectors);
        BinaryPrimitives.WriteUInt16LittleEndian(sector.AsSpan(24), 63);
        BinaryPrimitives.WriteUInt16LittleEndian(sector.AsSpan(26), 255);
        BinaryPrimitives.WriteUInt32LittleEndian(sector.AsSpan(32), (uint)(1 + 2 * tableSectors + RootEntries * EntrySize / Sector + clusters * clusterSectors));
        sector[36] = 0x80;
        sector[38] = 0x29;
        BinaryPrimitives.WriteUInt32LittleEndian(sector.AsSpan(39), 0x4D495448);
        "CLOISTER   FAT16   "u8.CopyTo(sector.AsSpan(43));
        (sector[510], sector[511]) = (0x55, 0xAA);
        return sector;
    }

    // Clusters 2 and 3 are the folders, 4 and following the file.
    private static byte[] Table(int fileClusters, int sectors)
    {
        byte[] table = new byte[sectors * Sector];
        void Set(int cluster, uint next) => BinaryPrimitives.WriteUInt16LittleEndian(table.AsSpan(cluster * 2), (ushort)next);
        Set(0, 0xFFF8);
        for (int cluster = 1; cluster <= 3; cluster++)
            Set(cluster, EndOfChain);
        for (int at = 0; at < fileClusters; at++)
            Set(4 + at, at + 1 < fileClusters ? (uint)(5 + at) : EndOfChain);
        return table;
    }

    private static byte[] Entry(string name, byte kind, ushort cluster, uint length)
    {
        byte[] entry = new byte[EntrySize];
        Encoding.ASCII.GetBytes(name.PadRight(11)).CopyTo(entry, 0);
        entry[11] = kind;
        BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(16), 0x21); // 1 January 1980
        BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(18), 0x21);
        BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(24), 0x21);
        BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(26), cluster);
        BinaryPrimitives.WriteUInt32LittleEndian(entry.AsSpan(28), length);
        return entry;
    }

    private static void Pad(FileStream output, byte[] bytes, int length)
    {
        output.Write(bytes);
        output.Write(new byte[length - bytes.Length]);
    }
}

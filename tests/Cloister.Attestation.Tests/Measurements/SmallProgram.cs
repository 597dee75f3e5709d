using System.Buffers.Binary;
using System.Text;

namespace Cloister.Tests.Measurements;

/// <summary>Makes small EFI programs of given sections, by the PE format, apart from the code that reads them.</summary>
internal static class SmallProgram
{
    public const int PeAt = 0x40, OptionalAt = PeAt + 24, TableAt = OptionalAt + 240, Alignment = 0x200;

    public static byte[] Of(params (string Name, byte[] Content)[] sections)
    {
        int headers = (TableAt + sections.Length * 40 + Alignment - 1) / Alignment * Alignment;
        var file = new byte[headers];
        "MZ"u8.CopyTo(file);
        file[0x3C] = PeAt;
        "PE\0\0"u8.CopyTo(file.AsSpan(PeAt));
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(PeAt + 4), 0x8664);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(PeAt + 6), (ushort)sections.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(PeAt + 20), 240);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(OptionalAt), 0x20B);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(OptionalAt + 60), headers);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(OptionalAt + 64), 0x1234567);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(OptionalAt + 108), 16);
        int address = 0x1000, at = TableAt;
        foreach ((string name, byte[] content) in sections)
        {
            int size = (content.Length + Alignment - 1) / Alignment * Alignment, offset = file.Length;
            Array.Resize(ref file, offset + size);
            content.CopyTo(file, offset);
            Encoding.ASCII.GetBytes(name, file.AsSpan(at));
            foreach ((int field, int value) in new[] { (8, content.Length), (12, address), (16, size), (20, offset) })
                BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at + field), value);
            at += 40;
            address += (content.Length + 0xFFF) / 0x1000 * 0x1000;
        }
        return file;
    }

    public static byte[] Kernel { get; } = Of((".text", [.. Enumerable.Range(0, 700).Select(i => (byte)i)]), (".data", "kernel"u8.ToArray()));

    public static byte[] Uki(string commandLine = "quiet", string initrd = "initrd", string stub = "252.39-1", params (string Name, byte[] Content)[] more) => Of(
    [
        (".text", "stub"u8.ToArray()), (".sdmagic", Encoding.ASCII.GetBytes($"#### LoaderInfo: systemd-stub {stub} ####\0")), (".osrel", "ID=cloister\n"u8.ToArray()),
        (".cmdline", Encoding.ASCII.GetBytes(commandLine)), (".linux", Kernel), (".initrd", Encoding.ASCII.GetBytes(initrd)), .. more,
    ]);
}

using System.Buffers.Binary;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Measurements;

namespace Cloister.Images.Boot;

/// <summary>Appends sections to an EFI program (Microsoft PE format): what <c>objcopy</c> does for Unified Kernel Images, byte for byte the same everywhere.</summary>
internal static class StubImage
{
    private const int Header = 40, InitializedReadable = 0x40000040, MemoryPage = 0x1000;

    /// <summary>The program with further sections, in their order, each as long in memory as its content.</summary>
    /// <exception cref="ImageException">The program is none, or its headers have no room.</exception>
    public static byte[] Append(ReadOnlyMemory<byte> stub, params ReadOnlySpan<(string Name, ReadOnlyMemory<byte> Content)> sections)
    {
        Outcome<PortableExecutable> read = PortableExecutable.Read(stub);
        if (!read.TryGetValue(out PortableExecutable? program)) throw Invalid($"{read.Field} {read.Reason}");
        ReadOnlySpan<byte> source = stub.Span;
        int coffAt = BinaryPrimitives.ReadInt32LittleEndian(source[0x3C..]) + 4, optionalAt = coffAt + 20, count = program.Sections.Length;
        int tableAt = optionalAt + BinaryPrimitives.ReadUInt16LittleEndian(source[(coffAt + 16)..]), free = tableAt + count * Header;
        int headers = BinaryPrimitives.ReadInt32LittleEndian(source[(optionalAt + 60)..]), fileAlignment = BinaryPrimitives.ReadInt32LittleEndian(source[(optionalAt + 36)..]);
        if (free + sections.Length * Header > headers) throw Invalid("its headers have no room for more sections");
        if (fileAlignment is < 0x200 or > 0x10000 || !int.IsPow2(fileAlignment)) throw Invalid("its alignment is not a power of two");

        // The symbols behind the sections are of no use to firmware and would lie between.
        int end = program.Sections.Max(section => section.FileOffset + section.FileSize);
        long address = program.Sections.Max(section => (long)section.VirtualAddress + section.VirtualSize), size = Round(end, fileAlignment);
        foreach ((_, ReadOnlyMemory<byte> content) in sections) size += Round(content.Length, fileAlignment);
        if (size > PortableExecutable.MaximumSize) throw Invalid("it would be larger than firmware reads");
        var file = new byte[size];
        source[..end].CopyTo(file);
        file.AsSpan(free, headers - free).Clear();
        int at = (int)Round(end, fileAlignment), added = 0;
        foreach ((string name, ReadOnlyMemory<byte> content) in sections)
        {
            int raw = (int)Round(content.Length, fileAlignment);
            address = Round(address, MemoryPage);
            Span<byte> header = file.AsSpan(free, Header);
            Encoding.ASCII.GetBytes(name, header[..8]);
            Put(header, 8, content.Length);
            Put(header, 12, checked((int)address));
            Put(header, 16, raw);
            Put(header, 20, at);
            Put(header, 36, InitializedReadable);
            content.Span.CopyTo(file.AsSpan(at));
            (free, at, address, added) = (free + Header, at + raw, address + content.Length, added + raw);
        }
        Span<byte> optional = file.AsSpan(optionalAt);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(coffAt + 2), (ushort)(count + sections.Length));
        Put(file, coffAt + 8, 0);
        Put(file, coffAt + 12, 0);
        Put(optional, 8, BinaryPrimitives.ReadInt32LittleEndian(optional[8..]) + added);
        Put(optional, 56, checked((int)Round(address, MemoryPage)));
        Put(optional, 64, 0);
        return file;
    }

    private static void Put(Span<byte> bytes, int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(bytes[at..], value);

    private static long Round(long value, int to) => (value + to - 1) / to * to;

    private static ImageException Invalid(string reason) => new(ImageError.BootPartInvalid, $"The stub is not of the form that images are made of: {reason}.");
}

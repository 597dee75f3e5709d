using System.Buffers.Binary;

namespace Cloister.Attestation.Sgx;

/// <summary>
/// Finds the signature structure in a built enclave: the ELF section <c>.oeinfo</c> (Open Enclave, EGo), <c>.note.sgxmeta</c> (Intel's SDK,
/// Occlum), or a file that is the structure itself (Gramine's .sig).
/// </summary>
public static class EnclaveImage
{
    /// <summary>Most bytes of a section or .sig file that is looked through.</summary>
    public const int MaximumSection = 16 << 20;

    private const int HeaderBytes = 64, EntryBytes = 64, MaximumSections = 0xFF00, MaximumNames = 1 << 20;

    /// <summary>Reads a file's structure.</summary>
    /// <param name="file">Hostile; it can be sought in. A large file is not read whole.</param>
    /// <exception cref="IOException">The stream itself fails.</exception>
    public static Outcome<SigStruct> Read(Stream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        long length = file.Length;
        byte[]? header = Part(file, 0, HeaderBytes, length);
        if (header is null || !header.AsSpan(0, 4).SequenceEqual("\u007fELF"u8))
        {
            return length > MaximumSection ? Refuse($"neither an ELF file, nor a .sig file: it has {length} bytes")
                : Part(file, 0, length, length) is { } whole ? SigStruct.Find(whole) : Refuse("it is cut off");
        }
        if (header[4] != 2 || header[5] != 1)
            return Refuse("an enclave is a 64-bit, little-endian ELF file");
        if (Sections(file, header, length) is not { } sections)
            return Refuse("the table of the ELF file's sections is not within the file");
        foreach (string name in new[] { ".oeinfo", ".note.sgxmeta" })
        {
            if (!sections.TryGetValue(name, out (ulong At, ulong Size) section)) continue;
            return section.Size <= MaximumSection && Part(file, section.At, (long)section.Size, length) is { } data ? SigStruct.Find(data) : Refuse($"the section {name} is not within the file, or too large");
        }
        return Refuse("the ELF file has neither a section .oeinfo (Open Enclave, EGo) nor .note.sgxmeta (Intel SGX SDK, Occlum): is it signed?");
    }

    private static Dictionary<string, (ulong At, ulong Size)>? Sections(Stream file, ReadOnlySpan<byte> header, long length)
    {
        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(header[0x28..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(header[0x3A..]), count = BinaryPrimitives.ReadUInt16LittleEndian(header[0x3C..]), names = BinaryPrimitives.ReadUInt16LittleEndian(header[0x3E..]);
        if (size != EntryBytes || count > MaximumSections || names >= count || Part(file, table, (long)size * count, length) is not { } entries)
            return null;
        (ulong namesAt, ulong namesSize) = Place(entries, names);
        if (namesSize > MaximumNames || Part(file, namesAt, (long)namesSize, length) is not { } text)
            return null;
        var sections = new Dictionary<string, (ulong, ulong)>(StringComparer.Ordinal);
        for (int i = 0; i < count; i++)
        {
            uint name = BinaryPrimitives.ReadUInt32LittleEndian(entries.AsSpan(i * EntryBytes));
            if (name >= (uint)text.Length) continue;
            ReadOnlySpan<byte> rest = text.AsSpan((int)name);
            int end = rest.IndexOf((byte)0);
            sections.TryAdd(System.Text.Encoding.ASCII.GetString(end < 0 ? rest : rest[..end]), Place(entries, i));
        }
        return sections;
    }

    private static (ulong At, ulong Size) Place(byte[] entries, int index) =>
        (BinaryPrimitives.ReadUInt64LittleEndian(entries.AsSpan((index * EntryBytes) + 24)), BinaryPrimitives.ReadUInt64LittleEndian(entries.AsSpan((index * EntryBytes) + 32)));

    private static byte[]? Part(Stream file, ulong at, long size, long length)
    {
        if (size < 0 || at > (ulong)length || (ulong)size > (ulong)length - at) return null;
        var bytes = new byte[size];
        file.Position = (long)at;
        return file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length ? bytes : null;
    }

    /// <summary>Fuzz target: any bytes are an image or refused.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        using var file = new MemoryStream(bytes.ToArray());
        _ = Read(file);
    }

    private static Outcome<SigStruct> Refuse(string reason) => Outcome.Refuse<SigStruct>(Refusal.SigStructMalformed, "file", reason);
}

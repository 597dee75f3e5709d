using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Cloister.Attestation.Measurements;

/// <summary>
/// An x86-64 EFI program as firmware sees it: its sections and its Authenticode digest (Microsoft PE format; Windows Authenticode
/// Portable Executable Signature Format, 1.0). Read from hostile bytes: what firmware and this reader could see differently is refused.
/// </summary>
public sealed class PortableExecutable
{
    /// <summary>Largest file that is read.</summary>
    public const int MaximumSize = 1 << 30;

    /// <summary>Most sections that are read.</summary>
    public const int MaximumSections = 64;

    internal const int CoffSize = 20, SectionHeaderSize = 40, DirectoriesAt = 112, SecurityDirectory = 4, MaximumDirectories = 16, ChecksumAt = 64;

    private const ushort Amd64 = 0x8664, Pe32Plus = 0x20B;

    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly int _checksumAt, _securityAt, _headers, _certificates;

    private PortableExecutable(ReadOnlyMemory<byte> bytes, int optionalAt, int securityAt, int headers, int certificates, ImmutableArray<PortableSection> sections)
    {
        _bytes = bytes;
        _checksumAt = optionalAt + ChecksumAt;
        _securityAt = securityAt;
        _headers = headers;
        _certificates = certificates;
        Sections = sections;
    }

    /// <summary>The sections, in the order of their headers.</summary>
    public ImmutableArray<PortableSection> Sections { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="bytes">The whole file; it is not copied.</param>
    public static Outcome<PortableExecutable> Read(ReadOnlyMemory<byte> bytes)
    {
        ReadOnlySpan<byte> file = bytes.Span;
        if (file.Length is < 0x40 or > MaximumSize) return Refuse("file", $"has {file.Length} bytes; 64 to {MaximumSize} are read");
        if (!file.StartsWith("MZ"u8)) return Refuse("e_magic", "is not MZ");
        uint start = BinaryPrimitives.ReadUInt32LittleEndian(file[0x3C..]);
        if (start < 0x40 || start % 8 != 0 || start > file.Length - (4 + CoffSize + DirectoriesAt)) return Refuse("e_lfanew", "does not point to a header");
        ReadOnlySpan<byte> coff = file.Slice((int)start + 4, CoffSize);
        if (!file.Slice((int)start, 4).SequenceEqual("PE\0\0"u8)) return Refuse("Signature", "is not PE");
        if (BinaryPrimitives.ReadUInt16LittleEndian(coff) != Amd64) return Refuse("Machine", "is not x86-64");
        int count = BinaryPrimitives.ReadUInt16LittleEndian(coff[2..]), optionalSize = BinaryPrimitives.ReadUInt16LittleEndian(coff[16..]);
        if (count is 0 or > MaximumSections) return Refuse("NumberOfSections", $"is {count}; 1 to {MaximumSections} are read");

        int optionalAt = (int)start + 4 + CoffSize;
        if (optionalSize < DirectoriesAt || optionalAt + optionalSize > file.Length) return Refuse("SizeOfOptionalHeader", "does not fit");
        ReadOnlySpan<byte> optional = file.Slice(optionalAt, optionalSize);
        if (BinaryPrimitives.ReadUInt16LittleEndian(optional) != Pe32Plus) return Refuse("Magic", "is not PE32+");
        uint directories = BinaryPrimitives.ReadUInt32LittleEndian(optional[108..]);
        if (directories > MaximumDirectories || DirectoriesAt + (int)directories * 8 > optionalSize) return Refuse("NumberOfRvaAndSizes", "does not fit");
        uint headers = BinaryPrimitives.ReadUInt32LittleEndian(optional[60..]);
        int tableAt = optionalAt + optionalSize;
        if (headers > file.Length || headers < (uint)(tableAt + count * SectionHeaderSize)) return Refuse("SizeOfHeaders", "does not hold the headers");

        int securityAt = -1;
        uint certificates = 0;
        if (directories > SecurityDirectory)
        {
            securityAt = optionalAt + DirectoriesAt + SecurityDirectory * 8;
            uint at = BinaryPrimitives.ReadUInt32LittleEndian(file[securityAt..]);
            certificates = BinaryPrimitives.ReadUInt32LittleEndian(file[(securityAt + 4)..]);
            if (certificates == 0 ? at != 0 : at < headers || (ulong)at + certificates != (ulong)file.Length) return Refuse("Security", "the certificate table does not end the file");
        }
        return ReadSections(bytes, file.Slice(tableAt, count * SectionHeaderSize), headers, (uint)file.Length - certificates, out ImmutableArray<PortableSection> sections) is { } wrong
            ? Refuse("section", wrong)
            : Outcome.Accept(new PortableExecutable(bytes, optionalAt, securityAt, (int)headers, (int)certificates, sections));
    }

    /// <summary>The SHA-256 Authenticode digest: what firmware extends into PCR 4. Sections count in the order of their place in the file.</summary>
    public byte[] AuthenticodeDigest()
    {
        ReadOnlySpan<byte> file = _bytes.Span;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(file[.._checksumAt]);
        if (_securityAt < 0)
        {
            hash.AppendData(file[(_checksumAt + 4).._headers]);
        }
        else
        {
            hash.AppendData(file[(_checksumAt + 4).._securityAt]);
            hash.AppendData(file[(_securityAt + 8).._headers]);
        }
        int hashed = _headers;
        foreach (PortableSection section in Sections.Where(section => section.FileSize != 0).OrderBy(section => section.FileOffset))
        {
            hash.AppendData(section.Raw.Span);
            hashed += section.FileSize;
        }

        // What lies behind the sections counts too, but for the certificates.
        hash.AppendData(file[hashed..(file.Length - _certificates)]);
        return hash.GetHashAndReset();
    }

    /// <summary>Fuzz target: never throws.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (Read(bytes.ToArray()).TryGetValue(out PortableExecutable? file)) _ = file.AuthenticodeDigest();
    }

    private static string? ReadSections(ReadOnlyMemory<byte> bytes, ReadOnlySpan<byte> table, uint headers, uint end, out ImmutableArray<PortableSection> sections)
    {
        var read = ImmutableArray.CreateBuilder<PortableSection>(table.Length / SectionHeaderSize);
        sections = [];
        for (; table.Length != 0; table = table[SectionHeaderSize..])
        {
            ReadOnlySpan<byte> name = table[..8];
            int length = name.IndexOf((byte)0) is >= 0 and var zero ? zero : 8;
            if (name[length..].ContainsAnyExcept((byte)0) || name[..length].ContainsAnyExceptInRange((byte)0x21, (byte)0x7E)) return "a name is not printable";
            uint virtualSize = BinaryPrimitives.ReadUInt32LittleEndian(table[8..]), address = BinaryPrimitives.ReadUInt32LittleEndian(table[12..]);
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(table[16..]), offset = BinaryPrimitives.ReadUInt32LittleEndian(table[20..]);
            if (size != 0 && (offset < headers || (ulong)offset + size > end)) return "lies outside the file";
            read.Add(new PortableSection(Encoding.ASCII.GetString(name[..length]), address, virtualSize, (int)offset, (int)size, size == 0 ? default : bytes.Slice((int)offset, (int)size)));
        }
        if (Overlap(read.Where(section => section.FileSize != 0).Select(section => ((ulong)section.FileOffset, (ulong)section.FileSize)))) return "two sections share bytes of the file";
        if (Overlap(read.Where(section => section.VirtualSize != 0).Select(section => ((ulong)section.VirtualAddress, (ulong)section.VirtualSize)))) return "two sections share memory";
        sections = read.ToImmutable();
        return null;
    }

    private static bool Overlap(IEnumerable<(ulong Start, ulong Size)> ranges)
    {
        ulong end = 0;
        foreach ((ulong start, ulong size) in ranges.OrderBy(range => range.Start))
        {
            if (start < end) return true;
            end = start + size;
        }
        return false;
    }

    private static Outcome<PortableExecutable> Refuse(string field, string reason) => Outcome.Refuse<PortableExecutable>(Refusal.ImageMalformed, field, reason);
}

/// <summary>A section of an EFI program.</summary>
/// <param name="Name">Its name, such as <c>.cmdline</c>.</param>
/// <param name="VirtualAddress">Where it is loaded, from the start of the image.</param>
/// <param name="VirtualSize">Bytes in memory: what systemd-stub takes as its length.</param>
/// <param name="FileOffset">Where it lies in the file.</param>
/// <param name="FileSize">Bytes in the file.</param>
/// <param name="Raw">Its bytes in the file.</param>
public sealed record PortableSection(string Name, uint VirtualAddress, uint VirtualSize, int FileOffset, int FileSize, ReadOnlyMemory<byte> Raw);

using System.Security.Cryptography;
using System.Text;
using Cloister.Images;
using Cloister.Images.Volumes;

namespace Cloister.Tests.Volumes;

/// <summary>The bytes of docs/formats/sealed-disk.md do not change.</summary>
public sealed class DiskFormatTests
{
    private static readonly DiskLayout s_layout = new(1);

    [Fact]
    public void The_layout_is_frozen()
    {
        Assert.Equal((1_245_184, 20, 1_314_816, 2_629_632), (s_layout.MaxArchive, s_layout.Chunks, s_layout.SlotSize, s_layout.DiskSize));
        MemoryDisk disk = Written(5, [.. Enumerable.Range(0, 70_000).Select(i => (byte)(i * 31))], out DiskState state);
        // Both values were computed by a second program, from the document alone.
        Assert.Equal("4237237d8bbe98571015cadbdc99c280917c38cf2579404cb05360b658460a65", Convert.ToHexStringLower(state.Digest.Span));
        Assert.Equal("8385ad81d5f5ebdd9a4a9209ffb4e60cdd7351187f98612198507990630a98e7", Convert.ToHexStringLower(SHA256.HashData(disk.Bytes)));
    }

    [Fact]
    public void Chunks_end_where_the_archive_ends()
    {
        foreach (int length in new[] { 1, DiskLayout.Chunk - 1, DiskLayout.Chunk, DiskLayout.Chunk + 1, 3 * DiskLayout.Chunk, (int)s_layout.MaxArchive })
        {
            byte[] content = RandomNumberGenerator.GetBytes(length);
            MemoryDisk disk = Written(2, content, out _);
            DiskHeader header = DiskHeader.Read(disk.Bytes.AsSpan(0, IBlockDevice.BlockSize));
            using var reader = new SlotReader(disk, s_layout, header, DiskKeys.Open(DiskScene.Key, DiskScene.Identity, header)!, default);
            var read = new MemoryStream();
            reader.CopyTo(read);
            Assert.Equal(content, read.ToArray());
            Assert.Equal(1 + (16 * DiskLayout.ChunksFor(length)), disk.BlocksWritten);
        }
        Assert.Equal(ImageError.DiskFull, Assert.Throws<ImageException>(() => Written(2, new byte[s_layout.MaxArchive + 1], out _)).Error);
    }

    [Fact]
    public void A_header_of_another_format_is_told_from_a_changed_one()
    {
        byte[] block = Written(1, [1], out _).Bytes.AsSpan((int)s_layout.SlotSize, IBlockDevice.BlockSize).ToArray();
        Assert.Equal(ImageError.DiskFormat, Error(b => b[8] = 2));
        foreach (int place in new[] { 0, 10, 12, 144, 4095 })
            Assert.Equal(ImageError.DiskChanged, Error(b => b[place] ^= 1));
        Assert.Equal(ImageError.DiskChanged, Error(b => b.AsSpan(16, 8).Clear()));
        Assert.Equal(ImageError.DiskChanged, Error(b => b.AsSpan(24, 8).Clear()));
        Assert.Equal(ImageError.DiskChanged, Error(b => b[31] = 0x80));

        ImageError Error(Action<byte[]> change)
        {
            byte[] changed = [.. block];
            change(changed);
            return Assert.Throws<ImageException>(() => DiskHeader.Read(changed)).Error;
        }
    }

    [Fact]
    public void A_header_never_makes_its_reader_fail_otherwise()
    {
        byte[] block = Written(1, [1], out _).Bytes.AsSpan((int)s_layout.SlotSize, IBlockDevice.BlockSize).ToArray();
        var random = new Random(20261122);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] mutated = [.. block];
            for (int change = random.Next(1, 4); change > 0; change--)
                mutated[random.Next(160)] = (byte)random.Next(256);
            DiskHeader.Fuzz(mutated.AsSpan(0, random.Next(8) == 0 ? random.Next(mutated.Length) : mutated.Length));
        }
    }

    [Fact]
    public void What_names_a_disk_cannot_be_shifted_from_one_part_to_the_next()
    {
        byte[] salt = new byte[32];
        DiskIdentity[] all =
        [
            new("a", 0, "bc", null), new("ab", 0, "c", null), new("abc", 0, "", null), new("", 0, "abc", null),
            new("a", 1, "bc", null), new("a", 0, "bc", Guid.Empty), new("a", 0, "bc", new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)),
        ];
        Assert.Equal(all.Length, all.Select(identity =>
        {
            using DiskKeys keys = DiskKeys.Derive(DiskScene.Key, identity, 1, salt);
            return Convert.ToHexString(keys.Commitment);
        }).Distinct().Count());
    }

    [Fact]
    public void Errors_keep_their_numbers() => Assert.Equal(
        "DiskMissing=500 DiskSize=501 DiskKey=502 DiskEmpty=503 DiskOld=504 DiskForeign=505 DiskChanged=506 DiskNotEmpty=507 DiskConflict=508 DiskFull=509 DiskContent=510 DiskCounter=511 DiskFailed=512 DiskFormat=513",
        string.Join(' ', Enum.GetValues<ImageError>().Where(error => (int)error is >= 500 and < 550).Select(error => $"{error}={(int)error}")));

    private static MemoryDisk Written(ulong version, byte[] content, out DiskState state)
    {
        var disk = new MemoryDisk(s_layout);
        using var writer = new SlotWriter(disk, s_layout, DiskScene.Identity, DiskScene.Key, version, SHA256.HashData(Encoding.ASCII.GetBytes("salt")), default);
        writer.Write(content);
        state = writer.Finish();
        return disk;
    }
}

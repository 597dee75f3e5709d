using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Measurements;

namespace Cloister.Tests.Measurements;

public sealed class PortableExecutableTests
{
    [Fact]
    public void The_digest_is_authenticodes()
    {
        byte[] file = SmallProgram.Kernel;
        PortableExecutable program = PortableExecutable.Read(file).Value;
        Assert.Equal([".text", ".data"], program.Sections.Select(section => section.Name));
        int security = SmallProgram.OptionalAt + 112 + 32, checksum = SmallProgram.OptionalAt + 64;
        Assert.Equal(SHA256.HashData([.. file.AsSpan(0, checksum), .. file.AsSpan((checksum + 4)..security), .. file.AsSpan(security + 8)]), program.AuthenticodeDigest());
    }

    [Fact]
    public void Checksum_and_certificates_do_not_count_and_all_else_does()
    {
        byte[] file = SmallProgram.Kernel, digest = PortableExecutable.Read(file).Value.AuthenticodeDigest();
        byte[] signed = [.. file, .. new byte[64]];
        int security = SmallProgram.OptionalAt + 112 + 32;
        BinaryPrimitives.WriteInt32LittleEndian(signed.AsSpan(security), file.Length);
        BinaryPrimitives.WriteInt32LittleEndian(signed.AsSpan(security + 4), 64);
        signed[SmallProgram.OptionalAt + 64] ^= 1;
        Assert.Equal(digest, PortableExecutable.Read(signed).Value.AuthenticodeDigest());

        Assert.NotEqual(digest, PortableExecutable.Read((byte[])[.. file, 0]).Value.AuthenticodeDigest());
        foreach (int at in new[] { 8, SmallProgram.OptionalAt + 16, SmallProgram.TableAt + 36, file.Length - 1 })
        {
            byte[] changed = [.. file];
            changed[at] ^= 1;
            Assert.NotEqual(digest, PortableExecutable.Read(changed).Value.AuthenticodeDigest());
        }
    }

    [Theory]
    [InlineData(0, 0x00, "e_magic")]
    [InlineData(0x3C, 0x41, "e_lfanew")]
    [InlineData(0x3F, 0x80, "e_lfanew")]
    [InlineData(SmallProgram.PeAt, 0, "Signature")]
    [InlineData(SmallProgram.PeAt + 4, 0x4C, "Machine")]
    [InlineData(SmallProgram.PeAt + 6, 0, "NumberOfSections")]
    [InlineData(SmallProgram.PeAt + 7, 1, "NumberOfSections")]
    [InlineData(SmallProgram.PeAt + 20, 8, "SizeOfOptionalHeader")]
    [InlineData(SmallProgram.PeAt + 21, 0xFF, "SizeOfOptionalHeader")]
    [InlineData(SmallProgram.OptionalAt, 0x0C, "Magic")]
    [InlineData(SmallProgram.OptionalAt + 62, 0x10, "SizeOfHeaders")]
    [InlineData(SmallProgram.OptionalAt + 61, 0, "SizeOfHeaders")]
    [InlineData(SmallProgram.OptionalAt + 108, 17, "NumberOfRvaAndSizes")]
    [InlineData(SmallProgram.OptionalAt + 112 + 32, 8, "Security")]
    [InlineData(SmallProgram.TableAt + 1, 0, "section")]
    [InlineData(SmallProgram.TableAt + 21, 1, "section")]
    [InlineData(SmallProgram.TableAt + 23, 0x80, "section")]
    [InlineData(SmallProgram.TableAt + 40 + 13, 0x10, "section")]
    [InlineData(SmallProgram.TableAt + 40 + 21, 4, "section")]
    public void What_firmware_could_see_differently_is_refused(int at, byte value, string field)
    {
        byte[] file = [.. SmallProgram.Kernel];
        file[at] = value;
        Outcome<PortableExecutable> read = PortableExecutable.Read(file);
        Assert.Equal((Refusal.ImageMalformed, field), (read.Refusal, read.Field));
    }

    [Fact]
    public void Hostile_programs_never_throw()
    {
        for (int length = 0; length < 0x300; length++)
            PortableExecutable.Fuzz(SmallProgram.Kernel.AsSpan(0, length));
        foreach (byte[] mutated in Mutations.Of(SmallProgram.Kernel, 20_000, seed: 7)) PortableExecutable.Fuzz(mutated);
        foreach (byte[] mutated in Mutations.Of(SmallProgram.Kernel[..0x1A0], 20_000, seed: 8)) PortableExecutable.Fuzz([.. mutated, .. SmallProgram.Kernel.AsSpan(Math.Min(mutated.Length, SmallProgram.Kernel.Length))]);
        foreach (byte[] mutated in Mutations.Of(SmallProgram.Uki(), 5_000, seed: 9)) UnifiedKernelImage.Fuzz(mutated);
    }
}

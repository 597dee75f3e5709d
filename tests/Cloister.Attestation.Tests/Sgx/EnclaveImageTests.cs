using Cloister.Attestation;
using Cloister.Attestation.Sgx;

namespace Cloister.Tests;

/// <summary>What signed enclaves say of themselves: real layouts of Open Enclave, Intel's SDK and Gramine, and what is none.</summary>
public sealed class EnclaveImageTests
{
    private static Outcome<SigStruct> Read(byte[] bytes)
    {
        using var file = new MemoryStream(bytes);
        return EnclaveImage.Read(file);
    }

    public static TheoryData<string> Layouts() => ["gramine", ".oeinfo", ".note.sgxmeta"];

    [Theory, MemberData(nameof(Layouts))]
    public void Every_layout_gives_the_package_values(string layout)
    {
        byte[] structure = SignedEnclave.Structure();
        Outcome<SigStruct> read = Read(layout == "gramine" ? structure : SignedEnclave.Elf(layout, [.. new byte[144], .. structure, .. new byte[50]]));
        Assert.True(read.IsAccepted, read.Reason);
        Assert.Equal(SignedEnclave.MrEnclave, read.Value.MrEnclave);
        Assert.Equal(SignedEnclave.MrSigner, read.Value.MrSigner);
        Assert.Equal(15, read.Value.ProductId);
        Assert.Equal(7, read.Value.SecurityVersion);
        Assert.False(read.Value.Debug);
    }

    [Theory]
    [InlineData(6UL, ulong.MaxValue, true)]
    [InlineData(4UL, ulong.MaxValue, false)]
    [InlineData(4UL, ~2UL, null)]
    [InlineData(6UL, ~2UL, null)]
    public void Debug_is_said_where_the_signature_fixes_it(ulong flags, ulong mask, bool? expected) =>
        Assert.Equal(expected, Read(SignedEnclave.Structure(flags: flags, mask: mask)).Value.Debug);

    [Fact]
    public void A_header_alone_before_the_structure_does_not_mislead()
    {
        byte[] structure = SignedEnclave.Structure();
        Assert.True(Read([.. structure[..16], .. new byte[20], .. structure]).IsAccepted);
    }

    [Fact]
    public void A_changed_structure_is_refused()
    {
        foreach (int at in new[] { 16, 40, 130, 520, 960, 1024, 1026 })
        {
            byte[] structure = SignedEnclave.Structure();
            structure[at] ^= 1;
            Assert.Equal(Refusal.SigStructSignature, Read(structure).Refusal);
        }
        byte[] exponent = SignedEnclave.Structure();
        exponent[512] = 1;
        Assert.Equal(Refusal.SigStructSignature, Read(exponent).Refusal);
    }

    [Fact]
    public void What_is_no_signed_enclave_is_refused()
    {
        byte[] structure = SignedEnclave.Structure();
        foreach (byte[] bytes in new[] { [], new byte[3000], structure[..1807], "\u007fELF"u8.ToArray(), SignedEnclave.Elf(".text", structure), SignedEnclave.Elf(".oeinfo", structure[..100]) })
            Assert.Equal(Refusal.SigStructMalformed, Read(bytes).Refusal);
    }

    [Fact]
    public void A_file_of_32_bits_or_with_sections_outside_is_refused()
    {
        foreach ((int at, byte value) in new[] { (4, (byte)1), (5, (byte)2), (0x28 + 6, (byte)0x7F), (0x3A, (byte)63), (0x3E, (byte)9) })
        {
            byte[] elf = SignedEnclave.Elf(".oeinfo", SignedEnclave.Structure());
            elf[at] = value;
            Assert.Equal(Refusal.SigStructMalformed, Read(elf).Refusal);
        }
        byte[] outside = SignedEnclave.Elf(".oeinfo", SignedEnclave.Structure());
        outside[^(64 - 24 - 7)] = 0x7F; // the last section's offset
        Assert.Equal(Refusal.SigStructMalformed, Read(outside).Refusal);
    }

    [Fact]
    public void Mutations_are_an_image_or_refused()
    {
        byte[] valid = SignedEnclave.Elf(".oeinfo", SignedEnclave.Structure());
        EnclaveImage.Fuzz(valid);
        var random = new Random(17);
        for (int i = 0; i < 2_000; i++)
        {
            byte[] changed = [.. valid];
            for (int k = random.Next(1, 4); k > 0; k--)
                changed[random.Next(4) == 0 ? random.Next(changed.Length) : random.Next(2) == 0 ? random.Next(64) : changed.Length - 1 - random.Next(260)] = (byte)random.Next(256);
            ReadOnlySpan<byte> cut = random.Next(4) == 0 ? changed.AsSpan(0, random.Next(changed.Length)) : changed;
            EnclaveImage.Fuzz(cut);
            SigStruct.Fuzz(cut);
        }
    }
}

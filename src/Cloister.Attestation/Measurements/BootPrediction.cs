using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation.Tpm;

namespace Cloister.Attestation.Measurements;

/// <summary>
/// What a TPM's SHA-256 bank holds after a Unified Kernel Image booted with Secure Boot off, from the image alone. Sources: TCG PC
/// Client Platform Firmware Profile 1.05 (PCRs 4, 5, 7), the kernel's EFI stub (9), systemd-stub(7) (11, 12).
/// PCRs 0 and 1 belong to the machine, not to the image, and are not predicted.
/// </summary>
public static class BootPrediction
{
    /// <summary>The PCRs that are predicted and that a policy for an image pins.</summary>
    public static ImmutableArray<int> Pcrs { get; } = [4, 5, 7, 9, 11, 12];

    private static ReadOnlySpan<byte> Separator => [0, 0, 0, 0];

    private static ReadOnlySpan<byte> GlobalVariables => [0x61, 0xDF, 0xE4, 0x8B, 0xCA, 0x93, 0xD2, 0x11, 0xAA, 0x0D, 0x00, 0xE0, 0x98, 0x03, 0x2B, 0x8C];

    private static ReadOnlySpan<byte> SecurityDatabase => [0xCB, 0xB2, 0x19, 0xD7, 0x3A, 0x3D, 0x96, 0x45, 0xA3, 0xBC, 0xDA, 0xD0, 0x0E, 0x67, 0x65, 0x6F];

    /// <summary>Predicts PCRs 4, 5, 7, 9, 11 and 12, 32 bytes each, as lower-case hexadecimal.</summary>
    /// <param name="uki">The image's bytes.</param>
    /// <param name="path">How firmware starts it.</param>
    public static Outcome<ImmutableSortedDictionary<int, string>> Predict(ReadOnlyMemory<byte> uki, BootPath path)
    {
        if (!Enum.IsDefined(path)) throw new ArgumentOutOfRangeException(nameof(path), path, "Not a boot path.");
        Outcome<UnifiedKernelImage> read = UnifiedKernelImage.Read(uki);
        if (!read.TryGetValue(out UnifiedKernelImage? image)) return read.RefuseAs<ImmutableSortedDictionary<int, string>>();
        Outcome<PortableExecutable> kernel = PortableExecutable.Read(image.Linux);
        if (!kernel.TryGetValue(out PortableExecutable? linux)) return kernel.RefuseAs<ImmutableSortedDictionary<int, string>>();

        byte[][] values = [Applications(image.Program, linux, path), BootServices(), SecureBootOff(), Kernel(image), Stub(image), new byte[SHA256.HashSizeInBytes]];
        return Outcome.Accept(Pcrs.Zip(values).ToImmutableSortedDictionary(pcr => pcr.First, pcr => Convert.ToHexStringLower(pcr.Second)));
    }

    // With -kernel, OVMF loads the image before it comes to the boot options.
    private static byte[] Applications(PortableExecutable image, PortableExecutable linux, BootPath path)
    {
        var pcr = new Register();
        if (path == BootPath.Kernel) pcr.Extend(image.AuthenticodeDigest());
        pcr.Measure("Calling EFI Application from Boot Option"u8);
        pcr.Measure(Separator);
        if (path == BootPath.Disk) pcr.Extend(image.AuthenticodeDigest());
        pcr.Extend(linux.AuthenticodeDigest());
        return pcr.Value;
    }

    private static byte[] BootServices()
    {
        var pcr = new Register();
        pcr.Measure(Separator);
        pcr.Measure("Exit Boot Services Invocation"u8);
        pcr.Measure("Exit Boot Services Returned with Success"u8);
        return pcr.Value;
    }

    private static byte[] SecureBootOff()
    {
        var pcr = new Register();
        pcr.Measure(Variable(GlobalVariables, "SecureBoot", [0]));
        pcr.Measure(Variable(GlobalVariables, "PK", []));
        pcr.Measure(Variable(GlobalVariables, "KEK", []));
        pcr.Measure(Variable(SecurityDatabase, "db", []));
        pcr.Measure(Variable(SecurityDatabase, "dbx", []));
        pcr.Measure(Separator);
        return pcr.Value;
    }

    private static byte[] Kernel(UnifiedKernelImage image)
    {
        var pcr = new Register();
        pcr.Measure(Encoding.Unicode.GetBytes(Encoding.ASCII.GetString(image.CommandLine.Span) + '\0'));
        pcr.Measure(image.Initrd.Span);
        return pcr.Value;
    }

    private static byte[] Stub(UnifiedKernelImage image)
    {
        var pcr = new Register();
        ReadOnlyMemory<byte>[] contents = [image.Linux, image.OsRelease, image.CommandLine, image.Initrd];
        foreach ((string name, ReadOnlyMemory<byte> content) in UnifiedKernelImage.Parts.Zip(contents))
        {
            pcr.Measure(Encoding.ASCII.GetBytes(name + '\0'));
            pcr.Measure(content.Span);
        }
        return pcr.Value;
    }

    // UEFI_VARIABLE_DATA: vendor, length of the name in characters, length of the value, name without its NUL, value.
    private static byte[] Variable(ReadOnlySpan<byte> vendor, string name, ReadOnlySpan<byte> value)
    {
        var data = new byte[32 + name.Length * 2 + value.Length];
        vendor.CopyTo(data);
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(16), name.Length);
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(24), value.Length);
        Encoding.Unicode.GetBytes(name, data.AsSpan(32));
        value.CopyTo(data.AsSpan(32 + name.Length * 2));
        return data;
    }

    private sealed class Register
    {
        public byte[] Value { get; } = new byte[SHA256.HashSizeInBytes];

        public void Measure(ReadOnlySpan<byte> data) => Extend(SHA256.HashData(data));

        public void Extend(ReadOnlySpan<byte> digest) => TpmHash.Extend(TpmAlgorithm.Sha256, Value, digest);
    }
}

using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Measurements;

namespace Cloister.Images.Build;

/// <summary>A section of a Unified Kernel Image.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Size">Its bytes, without padding.</param>
/// <param name="Sha256">Their digest, lower-case hexadecimal.</param>
/// <param name="Text">What it says, where it is a text.</param>
public sealed record KernelImagePart(string Name, long Size, string Sha256, string? Text)
{
    private static readonly string[] Texts = [".osrel", ".cmdline", ".uname"];

    /// <summary>Reads the sections, in the order of the file.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.ImageInvalid"/>.</exception>
    public static IReadOnlyList<KernelImagePart> Read(ReadOnlyMemory<byte> uki)
    {
        Outcome<PortableExecutable> read = PortableExecutable.Read(uki);
        if (!read.TryGetValue(out PortableExecutable? program)) throw new ImageException(ImageError.ImageInvalid, $"{ImageLayout.Uki}: {read.Field} {read.Reason}.");
        return [.. program.Sections.Select(section =>
        {
            ReadOnlySpan<byte> content = section.Raw.Span[..(int)Math.Min(section.VirtualSize, section.FileSize)];
            return new KernelImagePart(section.Name, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)), Texts.Contains(section.Name) ? Encoding.UTF8.GetString(content) : null);
        })];
    }
}

namespace Cloister.Images.Build;

/// <summary>The files of a built image, one folder. A folder without <see cref="Measurements"/> is no image: that file is written last.</summary>
public static class ImageLayout
{
    /// <summary>The Unified Kernel Image: kernel, initrd, command line.</summary>
    public const string Uki = "uki.efi";

    /// <summary>The root filesystem with its dm-verity tree behind it.</summary>
    public const string Root = "root.img";

    /// <summary>What a TPM will show when it boots.</summary>
    public const string Measurements = "measurements.json";

    /// <summary>The definition as the machine reads it, canonical JSON.</summary>
    public const string Definition = "image.json";

    /// <summary>Every input with its version and SHA-256.</summary>
    public const string Lock = "image.lock";

    /// <summary>A disk that firmware boots from, with the Unified Kernel Image on it; only if it was asked for.</summary>
    public const string Disk = "boot.img";
}

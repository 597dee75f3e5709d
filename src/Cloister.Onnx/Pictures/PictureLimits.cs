namespace Cloister.Onnx.Pictures;

/// <summary>What a reader spends on a picture of unknown origin; checked before anything is allocated.</summary>
public sealed record PictureLimits
{
    /// <summary>64 MiB of file, 16 million pixels, no side above 16,384.</summary>
    public static PictureLimits Default { get; } = new();

    /// <summary>The largest file, in bytes.</summary>
    public int MaxFileBytes { get; init; } = 64 << 20;

    /// <summary>The most pixels; three bytes are allocated for each of a PNG, up to six of a JPEG, up to twelve of a progressive one.</summary>
    public int MaxPixels { get; init; } = 16_000_000;

    /// <summary>The largest width or height.</summary>
    public int MaxSide { get; init; } = 16_384;
}

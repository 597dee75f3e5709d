namespace Cloister.Images.Build;

/// <summary>Lists what a root holds, by squashfs-tools.</summary>
public static class RootListing
{
    /// <summary>One line a file: mode, owner, size, path, a link's target.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.ToolMissing"/> or <see cref="ImageError.ToolFailed"/>.</exception>
    public static Task<string> ReadAsync(string root, CancellationToken cancellation) =>
        Tool.RunAsync(Tool.Find("unsquashfs", "squashfs-tools"), ["-lln", "-d", "", root], cancellation);
}

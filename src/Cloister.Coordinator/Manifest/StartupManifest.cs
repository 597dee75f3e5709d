using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Manifest;

/// <summary>The manifest that an operator lays beside the coordinator, set at the start as if its first caller had sent it.</summary>
internal static class StartupManifest
{
    private const int MaxBytes = 6 << 20;

    /// <summary>Sets it. Nothing happens where that very manifest is in force, so that a restart does.</summary>
    /// <exception cref="ArgumentException">It cannot be read, is refused, or another manifest is in force.</exception>
    public static async Task SetAsync(string? path, LiveState state, ManifestService manifests, CancellationToken cancellation)
    {
        if (path is null)
            return;
        byte[] bytes = await ReadAsync(path, cancellation);
        if (state.Current.Manifest is { } inForce && inForce.Fingerprint == ManifestFingerprint.Of(bytes))
            return;
        try
        {
            await manifests.SetAsync(bytes, ManifestDialect.MarbleRun, [], cancellation);
        }
        catch (CoordinatorException refused)
        {
            throw new ArgumentException($"Cannot set startup manifest {path}: {refused.Message}", refused);
        }
    }

    private static async Task<byte[]> ReadAsync(string path, CancellationToken cancellation)
    {
        try
        {
            if (new FileInfo(path).Length > MaxBytes)
                throw new ArgumentException($"Cannot read startup manifest {path}: it has more than {MaxBytes} bytes.");
            return await File.ReadAllBytesAsync(path, cancellation);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"Cannot read startup manifest {path}: {unreadable.Message}", unreadable);
        }
    }
}

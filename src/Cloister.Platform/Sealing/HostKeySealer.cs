using System.Security.Cryptography;
using Cloister.Sealing;

namespace Cloister.Platform;

/// <summary>
/// Seals under a 32-byte key in a file of its own (0600). It protects a disk or backup that leaves without that file, and nothing
/// more: whoever reads the file opens everything. For machines without a TEE or TPM.
/// </summary>
/// <param name="folder">The key's directory; it must not be the one that holds what is sealed.</param>
public sealed class HostKeySealer(string folder) : IPlatformSealer
{
    /// <summary>The key file's name.</summary>
    public const string FileName = "sealing-key";

    private readonly string _path = Path.Combine(Path.GetFullPath(folder), FileName);

    /// <inheritdoc/>
    public string Kind => "host-key";

    /// <inheritdoc/>
    public ValueTask<byte[]> SealAsync(ReadOnlyMemory<byte> secret, ReadOnlyMemory<byte> associatedData, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        byte[] key = LoadOrCreate();
        try
        {
            return ValueTask.FromResult(KeyWrap.Wrap(key, secret.Span, Bind(associatedData)));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <inheritdoc/>
    public ValueTask<byte[]> UnsealAsync(ReadOnlyMemory<byte> sealedSecret, ReadOnlyMemory<byte> associatedData, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        byte[] key = Load() ?? throw new PlatformException(PlatformError.UnsealRefused,
            $"The host's sealing key {_path} is missing, so nothing sealed under it can be opened. Bring the file back, or recover without it.");
        try
        {
            return KeyWrap.TryUnwrap(key, sealedSecret.Span, Bind(associatedData), out byte[]? secret)
                ? ValueTask.FromResult(secret)
                : throw new PlatformException(PlatformError.UnsealRefused, $"The secret was changed, or sealed under another key than {_path}.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private byte[] LoadOrCreate()
    {
        if (Load() is { } existing) return existing;
        byte[] key = RandomNumberGenerator.GetBytes(KeyWrap.KeySize);
        if (PrivateFile.CreateOnce(_path, key)) return key;
        CryptographicOperations.ZeroMemory(key);
        return Load() ?? throw new PlatformException(PlatformError.KeyFileUnusable, $"{_path} vanished while it was being made.");
    }

    private byte[]? Load() => PrivateFile.ReadKey(_path) switch
    {
        null => null,
        { Length: KeyWrap.KeySize } key => key,
        byte[] other => throw new PlatformException(PlatformError.KeyFileInvalid, $"{_path} has {other.Length} bytes; a sealing key has {KeyWrap.KeySize}."),
    };

    private static byte[] Bind(ReadOnlyMemory<byte> associatedData) => [.. "cloister/host-key-sealer/v1\0"u8, .. associatedData.Span];
}

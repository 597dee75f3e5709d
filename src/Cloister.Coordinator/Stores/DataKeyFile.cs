using System.Security.Cryptography;
using Cloister.Platform;
using Cloister.Sealing;

namespace Cloister.Coordinator.Stores;

/// <summary>
/// Writes and reads <c>sealed_key</c>: the data key under the platform's. While the data key is being exchanged the file holds the old one and the new one,
/// so that the state opens whichever of them it is sealed under when the machine stops.
/// </summary>
internal sealed class DataKeyFile(string path, IPlatformSealer sealer, IFileLayer files)
{
    private const int MaxKeys = 2;

    public bool Exists => files.Read(path, SealedKeyFile.MaxBytes) is not null;

    /// <summary>Replaces the file; durable when it returns.</summary>
    /// <exception cref="StoreException">WriteFailed: the old file or the new one is in place.</exception>
    public async Task WriteAsync(CancellationToken cancellation, params SecretBytes[] keys)
    {
        byte[] joined = GC.AllocateArray<byte>(keys.Length * KeyWrap.KeySize, pinned: true);
        try
        {
            for (int i = 0; i < keys.Length; i++)
                keys[i].Span.CopyTo(joined.AsSpan(i * KeyWrap.KeySize));
            byte[] file = new SealedKeyFile(sealer.Kind, await sealer.SealAsync(joined, SealedKeyFile.AssociatedData, cancellation)).Encode();
            await Task.Run(() => AtomicFile.Replace(files, path, file, out _), CancellationToken.None);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or PlatformException)
        {
            throw new StoreException(StoreError.WriteFailed, $"{path} cannot be written: {error.Message}", error);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(joined);
        }
    }

    /// <summary>The keys in the file, or why there are none. Throws for a key of a newer program and where the platform fails.</summary>
    public async Task<(SecretBytes[] Keys, string Reason)> ReadAsync(CancellationToken cancellation)
    {
        if (files.Read(path, SealedKeyFile.MaxBytes) is not { } file)
            return ([], $"{SealFolder.KeyName} is missing while {SealFolder.DataName} exists");
        if (SealedKeyFile.Decode(file) is not { } sealedKey)
            return ([], $"{SealFolder.KeyName} is damaged");
        if (sealedKey.SealerKind != sealer.Kind)
            return ([], $"{SealFolder.KeyName} was sealed by '{sealedKey.SealerKind}', and this machine offers '{sealer.Kind}'");
        byte[] joined;
        try
        {
            joined = await sealer.UnsealAsync(sealedKey.Sealed, SealedKeyFile.AssociatedData, cancellation);
        }
        catch (PlatformException refused) when (refused.Error == PlatformError.UnsealRefused)
        {
            return ([], $"{SealFolder.KeyName} does not open on this platform: {refused.Message}");
        }
        try
        {
            int count = joined.Length / KeyWrap.KeySize;
            if (count is 0 or > MaxKeys || joined.Length % KeyWrap.KeySize != 0)
                return ([], $"{SealFolder.KeyName} holds no data key");
            return ([.. Enumerable.Range(0, count).Select(i => SecretBytes.Copy(joined.AsSpan(i * KeyWrap.KeySize, KeyWrap.KeySize)))], "");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(joined);
        }
    }
}

using System.Security.Cryptography;
using Cloister.Platform;
using Cloister.Sealing;

namespace Cloister.Coordinator.Stores;

/// <summary>
/// The coordinator's folder: <c>sealed_data</c>, the state under a data key, and <c>sealed_key</c>, that key under the platform's.
/// A state whose key is lost or foreign is kept as it is: then there is a reason for recovery instead of a store.
/// </summary>
internal static class SealFolder
{
    public const string KeyName = "sealed_key", DataName = "sealed_data", StoreName = "coordinator";

    /// <summary>Opens the folder, or makes it.</summary>
    /// <exception cref="StoreException">Damaged, mixed, newer, or held by another process.</exception>
    /// <exception cref="PlatformException">The platform's key exists and cannot be used.</exception>
    public static async Task<OpenedSealFolder> OpenAsync(string folder, IPlatformSealer sealer, CancellationToken cancellation)
    {
        folder = Path.GetFullPath(folder);
        CreateFolder(folder);
        FileStore data = FileStore.Open(Path.Combine(folder, DataName));
        try
        {
            return await OpenAsync(folder, data, sealer, OperatingSystemFiles.Instance, cancellation);
        }
        catch
        {
            await data.DisposeAsync();
            throw;
        }
    }

    internal static async Task<OpenedSealFolder> OpenAsync(string folder, IStore data, IPlatformSealer sealer, IFileLayer files, CancellationToken cancellation)
    {
        string path = Path.Combine(folder, KeyName);
        byte[]? file = files.Read(path, SealedKeyFile.MaxBytes);
        if (file is null && await SealedStore.IsEmptyAsync(data, cancellation))
            return new(await CreateAsync(path, data, sealer, files, cancellation), null, data);
        if (file is null)
            return Recovery(data, $"{KeyName} is missing while {DataName} exists");
        if (SealedKeyFile.Decode(file) is not { } sealedKey)
            return Recovery(data, $"{KeyName} is damaged");
        if (sealedKey.SealerKind != sealer.Kind)
            return Recovery(data, $"{KeyName} was sealed by '{sealedKey.SealerKind}', and this machine offers '{sealer.Kind}'");
        return await UnsealAsync(sealedKey, data, sealer, cancellation);
    }

    private static async Task<OpenedSealFolder> UnsealAsync(SealedKeyFile sealedKey, IStore data, IPlatformSealer sealer, CancellationToken cancellation)
    {
        byte[] key;
        try
        {
            key = await sealer.UnsealAsync(sealedKey.Sealed, SealedKeyFile.AssociatedData, cancellation);
        }
        catch (PlatformException refused) when (refused.Error == PlatformError.UnsealRefused)
        {
            return Recovery(data, $"{KeyName} does not open on this platform: {refused.Message}");
        }
        try
        {
            if (key.Length != KeyWrap.KeySize)
                return Recovery(data, $"{KeyName} holds no data key");
            return new(await SealedStore.OpenAsync(data, SecretBytes.Copy(key), StoreName, cancellation), null, data);
        }
        catch (StoreException wrong) when (wrong.Error == StoreError.WrongKey)
        {
            return Recovery(data, $"{KeyName} belongs to another {DataName}");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    // The key is durable before anything is sealed under it; a crash in between leaves a key without data, which the next start uses.
    private static async Task<SealedStore> CreateAsync(string path, IStore data, IPlatformSealer sealer, IFileLayer files, CancellationToken cancellation)
    {
        SecretBytes key = SecretBytes.Random(KeyWrap.KeySize);
        byte[] sealedKey = await sealer.SealAsync(key.Memory, SealedKeyFile.AssociatedData, cancellation);
        try
        {
            await Task.Run(() => AtomicFile.Replace(files, path, new SealedKeyFile(sealer.Kind, sealedKey).Encode(), out _), CancellationToken.None);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            key.Dispose();
            throw new StoreException(StoreError.WriteFailed, $"{path} cannot be written: {error.Message}", error);
        }
        return await SealedStore.OpenAsync(data, key, StoreName, cancellation);
    }

    private static void CreateFolder(string folder)
    {
        if (Directory.Exists(folder))
            return;
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        // Else a crash could take the folder itself, with everything that was acknowledged in it.
        if (Path.GetDirectoryName(folder) is { Length: > 0 } parent)
            OperatingSystemFiles.Instance.FlushFolder(parent);
    }

    private static OpenedSealFolder Recovery(IStore data, string why) => new(null, why, data);
}

/// <summary>An open store, or why there is none and the state needs recovery. <paramref name="Held"/> keeps the folder for this process either way.</summary>
internal sealed record OpenedSealFolder(SealedStore? Store, string? RecoveryReason, IStore Held) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Store?.DisposeAsync() ?? Held.DisposeAsync();
}

using Cloister.Sealing;

namespace Cloister.Coordinator.Stores;

/// <summary>A folder that this process holds: with an open store, or with the reason why its state needs recovery and the means to recover it.</summary>
internal sealed class OpenedSealFolder(string folder, IStore held, DataKeyFile keyFile, IFileLayer files) : IAsyncDisposable
{
    /// <summary>The open store; null while the state needs recovery.</summary>
    public SealedStore? Store { get; private set; }

    /// <summary>Why the state needs recovery; null once it is open.</summary>
    public string? RecoveryReason { get; private set; }

    /// <summary>Whether what stands in clear beside the sealed state was missing or changed, and was written anew.</summary>
    public bool ClearCopiesRepaired { get; private set; }

    internal async Task OpenAsync(CancellationToken cancellation)
    {
        if (!keyFile.Exists && await SealedStore.IsEmptyAsync(held, cancellation))
        {
            await CreateAsync(cancellation);
            return;
        }
        (SecretBytes[] keys, string reason) = await keyFile.ReadAsync(cancellation);
        RecoveryReason = reason;
        foreach (SecretBytes key in keys)
        {
            if (Store is null && await TryOpenAsync(key, cancellation) is { } store)
                await AdoptAsync(store, key, rewriteKey: keys.Length > 1, cancellation);
            else
                key.Dispose();
        }
        if (Store is null && keys.Length > 0)
            RecoveryReason = $"{SealFolder.KeyName} belongs to another {SealFolder.DataName}";
    }

    /// <summary>What stands in clear under this name beside the sealed state: a hint, which only an open store proves.</summary>
    public async Task<ReadOnlyMemory<byte>?> ReadClearAsync(string record, CancellationToken cancellation) =>
        await SealedStore.ReadClearAsync(held, record, cancellation);

    /// <summary>Whether the state is sealed under this key.</summary>
    public async Task<bool> IsKeyAsync(ReadOnlyMemory<byte> key, CancellationToken cancellation) =>
        await SealedStore.IsKeyAsync(held, key, SealFolder.StoreName, cancellation);

    /// <summary>Opens and checks the whole state; null if it is sealed under another key. Takes the key over if it returns a store.</summary>
    /// <exception cref="StoreException">The key is right and the state damaged or newer.</exception>
    public async Task<SealedStore?> TryOpenAsync(SecretBytes key, CancellationToken cancellation)
    {
        try
        {
            return await SealedStore.OpenAsync(held, key, SealFolder.StoreName, keyFile, cancellation);
        }
        catch (StoreException wrong) when (wrong.Error == StoreError.WrongKey)
        {
            return null;
        }
    }

    /// <summary>Makes an opened store the folder's own, with its key sealed to this platform.</summary>
    /// <exception cref="StoreException">WriteFailed: the folder is as it was.</exception>
    public async Task AdoptAsync(SealedStore store, SecretBytes key, bool rewriteKey, CancellationToken cancellation)
    {
        if (rewriteKey)
            await keyFile.WriteAsync(cancellation, key);
        ClearCopiesRepaired = await store.RepairClearCopiesAsync(cancellation);
        (Store, RecoveryReason) = (store, null);
    }

    /// <summary>
    /// Puts the files aside under names that end in <paramref name="suffix"/>, or that and a number, and begins with an empty store under a new key.
    /// After a crash the folder is as it was, or empty with the old files beside it.
    /// </summary>
    public async Task<(SealedStore Store, string Suffix)> BeginAnewAsync(string suffix, CancellationToken cancellation)
    {
        string chosen = await Task.Run(() => PutAside(suffix), CancellationToken.None);
        SecretBytes key = SecretBytes.Random(KeyWrap.KeySize);
        await keyFile.WriteAsync(cancellation, key);
        var forget = new StoreTransaction();
        foreach (string record in (await held.ReadAllAsync(cancellation)).Keys)
            forget.Delete(record);
        await held.CommitAsync(forget, cancellation);
        Store = await SealedStore.OpenAsync(held, key, SealFolder.StoreName, keyFile, cancellation);
        RecoveryReason = null;
        return (Store, chosen);
    }

    private string PutAside(string suffix)
    {
        (string Path, long Bound)[] both = [(Path.Combine(folder, SealFolder.DataName), StateFile.MaxFileBytes), (Path.Combine(folder, SealFolder.KeyName), SealedKeyFile.MaxBytes)];
        string chosen = suffix;
        try
        {
            // What was put aside before is never overwritten.
            for (int i = 2; both.Any(file => files.Read(file.Path + chosen, file.Bound) is not null); i++)
                chosen = $"{suffix}.{i}";
            foreach ((string path, long bound) in both)
            {
                if (files.Read(path, bound) is { } content)
                    AtomicFile.Replace(files, path + chosen, content, out _);
            }
            return chosen;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(StoreError.WriteFailed, $"The old state cannot be put aside and was left as it is: {error.Message}", error);
        }
    }

    public ValueTask DisposeAsync() => Store?.DisposeAsync() ?? held.DisposeAsync();

    // The key is durable before anything is sealed under it; a crash in between leaves a key without data, which the next start uses.
    private async Task CreateAsync(CancellationToken cancellation)
    {
        SecretBytes key = SecretBytes.Random(KeyWrap.KeySize);
        await keyFile.WriteAsync(cancellation, key);
        Store = await SealedStore.OpenAsync(held, key, SealFolder.StoreName, keyFile, cancellation);
    }
}

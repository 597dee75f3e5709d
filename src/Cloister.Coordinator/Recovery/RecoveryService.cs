using System.Globalization;
using System.Security.Cryptography;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Stores;
using Cloister.Protocol.Rest;
using Cloister.Sealing;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Recovery;

/// <summary>How far a recovery has come.</summary>
/// <param name="Remaining">Secrets that are still needed; 0 once the state is open.</param>
/// <param name="Message">For a person.</param>
internal sealed record RecoveryProgress(int Remaining, string Message);

/// <summary>
/// Brings back a state whose data key is lost: takes the holders' secrets, opens the state with the key they make, seals that key to this platform,
/// and lets the coordinator go on with it. One request at a time.
/// </summary>
internal sealed class RecoveryService(
    LiveState state, SwitchedStore store, OpenedSealFolder folder, bool simulation, TimeProvider time, ILogger<RecoveryService> logger) : IAsyncDisposable
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private RecoveryCollection? _collection;
    private EphemeralRecoveryKey? _ephemeral;

    /// <summary>Whether a new manifest may take the place of a state that cannot be opened, as it does in MarbleRun. The old one is put aside.</summary>
    public bool MayBeginAnew => simulation;

    /// <summary>The key to encrypt secrets to, SubjectPublicKeyInfo, DER.</summary>
    /// <exception cref="CoordinatorException">WrongState.</exception>
    public async Task<byte[]> PublicKeyAsync(CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            RequireRecovery();
            EphemeralRecoveryKey key = _ephemeral ??= new EphemeralRecoveryKey();
            return await Task.Run(key.PublicKey, CancellationToken.None);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Takes one secret, plain or encrypted to the ephemeral key; the last one that is needed opens the state.</summary>
    /// <param name="given">The secret, zeroed on return.</param>
    /// <param name="signature">By the secret's recovery key over the plain secret.</param>
    /// <param name="asMarbleRun">In its simulation: counts as MarbleRun does, whose tests expect it.</param>
    /// <param name="cancellation">Ends the wait; what was begun is finished.</param>
    /// <exception cref="CoordinatorException">WrongState, BadRequest, RecoverySecretRefused, RecoverySignatureInvalid, RecoveryFailed.</exception>
    /// <exception cref="StoreException">The secrets are right, and the state is damaged or its key cannot be written.</exception>
    public async Task<RecoveryProgress> RecoverAsync(byte[] given, byte[] signature, bool asMarbleRun, CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            RequireRecovery();
            RecoveryCollection collection = _collection ??= await BeginCollectionAsync();
            byte[] secret = RecoveryCollection.IsPlain(given) ? given : Decrypt(given);
            bool isNew;
            try
            {
                isNew = collection.Add(secret, signature);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(secret);
            }
            if (isNew && await TryAsync(collection))
                return new RecoveryProgress(0, "Recovery successful.");
            int remaining = asMarbleRun && simulation ? collection.Outstanding : collection.Remaining;
            return new RecoveryProgress(remaining, isNew
                ? $"Secret was processed successfully. Upload the next secret. Remaining secrets: {remaining}"
                : $"This secret was given before and counts once. Upload another one. Remaining secrets: {remaining}");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(given);
            _one.Release();
        }
    }

    /// <summary>Puts the state that cannot be opened aside and begins with an empty one, under the temporary identity that is being served. Does nothing outside of recovery.</summary>
    public async Task BeginAnewAsync(CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            if (state.Current.State != CoordinatorState.Recovery)
                return;
            (SealedStore fresh, string suffix) = await folder.BeginAnewAsync(time.GetUtcNow().ToString("'.'yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture), CancellationToken.None);
            var copy = new StoreTransaction();
            foreach ((string key, StoreRecord record) in await store.ReadAllAsync(CancellationToken.None))
                copy.Put(key, record.Value);
            if (await fresh.CommitAsync(copy, CancellationToken.None) != state.Current.Version)
                throw new StoreException(StoreError.Mixed, "The temporary state changed during recovery; restart the coordinator.");
            store.SwitchTo(fresh);
            logger.StatePutAside(suffix);
            EndRecovery();
            await state.ChangeAsync(current => current with { State = CoordinatorState.AcceptingManifest }, CancellationToken.None);
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _one.WaitAsync();
        EndRecovery();
        _one.Dispose();
    }

    private void RequireRecovery()
    {
        if (state.Current.State != CoordinatorState.Recovery)
            throw new CoordinatorException(CoordinatorError.WrongState, $"server is not in expected state: there is nothing to recover. {StatusText.Of(state.Current.State)}");
    }

    private async Task<RecoveryCollection> BeginCollectionAsync()
    {
        RecoveryData? expected = await folder.ReadClearAsync(SnapshotRecords.RecoveryKey, CancellationToken.None) is { } bytes ? RecoveryData.Decode(bytes.Span) : null;
        if (expected is null)
            logger.RecoveryDataLost();
        return new RecoveryCollection(expected);
    }

    private byte[] Decrypt(byte[] given) => _ephemeral?.Decrypt(given) ?? throw new CoordinatorException(CoordinatorError.BadRequest,
        $"failed to decrypt recovery secret: it is neither plain ({RecoveryCollection.PlainLengths} bytes) nor encrypted to the key of this recovery. Ask for the public key again, which is another one after each start.");

    // Whether the state is open now.
    private async Task<bool> TryAsync(RecoveryCollection collection)
    {
        foreach ((SecretBytes key, IReadOnlyList<GivenSecret> from) in collection.Candidates())
        {
            if (await folder.IsKeyAsync(key.Memory, CancellationToken.None))
            {
                await OpenAsync(key, from, collection);
                return true;
            }
            key.Dispose();
        }
        if (collection.IsFull)
        {
            collection.Clear();
            logger.SecretsDoNotOpen();
            throw new CoordinatorException(CoordinatorError.RecoveryFailed,
                "The secrets do not open the sealed state, and the collection starts anew: upload all of them again, those of the manifest that was in force last.");
        }
        logger.SecretTaken(collection.Remaining);
        return false;
    }

    private async Task OpenAsync(SecretBytes key, IReadOnlyList<GivenSecret> from, RecoveryCollection collection)
    {
        string[] holders;
        bool adopted = false;
        try
        {
            SealedStore opened = await folder.TryOpenAsync(key, CancellationToken.None)
                ?? throw new CoordinatorException(CoordinatorError.RecoveryFailed, "The secrets do not open the sealed state; upload all of them again.");
            holders = Holders(SnapshotRecords.Read(await opened.ReadAllAsync(CancellationToken.None))?.Recovery, from);
            await folder.AdoptAsync(opened, key, rewriteKey: true, CancellationToken.None);
            adopted = true;
            store.SwitchTo(opened);
        }
        finally
        {
            collection.Clear();
            if (!adopted)
                key.Dispose();
        }
        if (folder.ClearCopiesRepaired)
            logger.RecoveryDataRepaired();
        try
        {
            // The temporary snapshot is not what the store holds: the stored one is read and published before this is decided on it.
            await state.ChangeAsync(current => current with { UpdateLog = current.UpdateLog.Add(UpdateLog.Recovered(time.GetUtcNow(), holders)) }, CancellationToken.None);
        }
        catch (StoreException failed) when (state.Current.State != CoordinatorState.Recovery)
        {
            logger.LogLineLost(failed);
        }
        EndRecovery();
        logger.Recovered(string.Join(", ", holders));
    }

    // What stood in clear may have been written by anybody; only now is it known who the holders are. Each counts once, and enough of them must have agreed.
    private static string[] Holders(RecoveryData? truth, IReadOnlyList<GivenSecret> from)
    {
        if (truth is null)
            throw new CoordinatorException(CoordinatorError.RecoverySignatureInvalid, "The manifest of the sealed state names no recovery keys, so nobody may recover it.");
        string[] holders = [.. from.Select(given => RecoveryCollection.Check(truth, given.Secret, given.Signature).Name).Distinct(StringComparer.Ordinal)];
        return holders.Length >= truth.Threshold
            ? holders
            : throw new CoordinatorException(CoordinatorError.RecoverySignatureInvalid, $"{truth.Threshold} holders of recovery keys have to agree, and {holders.Length} did.");
    }

    private void EndRecovery()
    {
        _collection?.Dispose();
        _ephemeral?.Dispose();
        (_collection, _ephemeral) = (null, null);
    }
}

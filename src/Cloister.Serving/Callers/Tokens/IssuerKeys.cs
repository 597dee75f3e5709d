using System.Collections.Immutable;
using System.Threading.Channels;
using Cloister.Protocol.Tokens;
using Cloister.Workload;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Callers.Tokens;

/// <summary>
/// The keys of one issuer: those of the manifest, which never change, and those of its address, fetched at the start, then at intervals, and
/// when a token names a key that is not there. While the address does not answer, its last keys stay for a bounded time; after that nothing
/// is taken that they signed.
/// </summary>
internal sealed class IssuerKeys : IAsyncDisposable
{
    /// <summary>The shortest time between two fetches, whatever tokens name.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly TokenIssuerGrant _grant;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ImmutableArray<VerificationKey> _own;
    private readonly KeyRing _ownRing;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Channel<bool> _wanted = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly TaskCompletionSource _firstTry = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _fetching;
    private long _begun;
    private Fetched? _fetched;

    public IssuerKeys(TokenIssuerGrant grant, TimeProvider time, ILogger logger)
    {
        (_grant, _time, _logger, _begun) = (grant, time, logger, time.GetTimestamp());
        _own = grant.Keys.IsEmpty ? [] : JsonWebKeySet.TryRead(grant.Keys.Span, out JsonWebKeySet? set, out string reason)
            ? KeyRing.Usable(set)
            : throw new ArgumentException($"The key set of token issuer '{grant.Name}' {reason}.", nameof(grant));
        _ownRing = new KeyRing(_own);
        if (grant.KeysAddress is null) _firstTry.SetResult();
        _fetching = grant.KeysAddress is null ? Task.CompletedTask : Task.Run(FetchAsync);
    }

    /// <summary>Ends when keys were fetched once, or could not be.</summary>
    public Task FirstTry => _firstTry.Task;

    /// <summary>Whether a grant asks for the very same keys.</summary>
    public bool IsFor(TokenIssuerGrant grant) =>
        grant.Name == _grant.Name && grant.Keys.Span.SequenceEqual(_grant.Keys.Span) && grant.KeysAddress == _grant.KeysAddress && grant.KeysRoot.Span.SequenceEqual(_grant.KeysRoot.Span)
        && grant.Refresh == _grant.Refresh && grant.Stale == _grant.Stale;

    /// <summary>The keys to believe now.</summary>
    public KeyRing Current => Volatile.Read(ref _fetched) is { } fetched && _time.GetElapsedTime(fetched.At) <= _grant.Stale ? fetched.Ring : _ownRing;

    /// <summary>Whether the keys of the address cannot be used now.</summary>
    public bool IsMissing => _grant.KeysAddress is not null && !(Volatile.Read(ref _fetched) is { } fetched && _time.GetElapsedTime(fetched.At) <= _grant.Stale);

    /// <summary>Asks for a fetch, since a token names a key that is not there.</summary>
    /// <returns>Whether one will be made now.</returns>
    public bool Want() => _grant.KeysAddress is not null && _time.GetElapsedTime(Volatile.Read(ref _begun)) >= Pause && _wanted.Writer.TryWrite(true);

    private async Task FetchAsync()
    {
        CancellationToken stop = _stopping.Token;
        using var address = new KeySetAddress(_grant.KeysAddress!, _grant.KeysRoot);
        int failures = 0;
        while (!stop.IsCancellationRequested)
        {
            Volatile.Write(ref _begun, _time.GetTimestamp());
            try
            {
                Take(await address.FetchAsync(_time, stop));
                failures = 0;
            }
            catch (IOException error)
            {
                failures++;
                _logger.KeysNotFetched(_grant.Name, error.Message);
            }
            catch (OperationCanceledException)
            {
                break;
            }
            _firstTry.TrySetResult();
            await WaitAsync(failures == 0 ? _grant.Refresh : Shorter(_grant.Refresh, Pause * Math.Min(failures, 6)), stop);
        }
        _firstTry.TrySetResult();
    }

    // A ring that holds the same keys stays: what was verified under it is still believed.
    private void Take(JsonWebKeySet set)
    {
        bool same = _fetched is { } before && before.Set.Keys.SequenceEqual(set.Keys, KeyComparer.Instance);
        KeyRing ring = same ? _fetched!.Ring : new KeyRing([.. _own, .. KeyRing.Usable(set)]);
        if (!same) _logger.KeysFetched(_grant.Name, set.Keys.Length);
        Volatile.Write(ref _fetched, new Fetched(set, ring, _time.GetTimestamp()));
    }

    private async Task WaitAsync(TimeSpan delay, CancellationToken stop)
    {
        using var due = new CancellationTokenSource(delay, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(due.Token, stop);
        try
        {
            await _wanted.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            // The time has come, or the end.
            return;
        }
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _fetching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private sealed record Fetched(JsonWebKeySet Set, KeyRing Ring, long At);

    private sealed class KeyComparer : IEqualityComparer<JsonWebKey>
    {
        public static readonly KeyComparer Instance = new();

        public bool Equals(JsonWebKey? one, JsonWebKey? other) =>
            one is not null && other is not null && one.Kind == other.Kind && one.KeyId == other.KeyId && one.Algorithm == other.Algorithm
            && one.First.Span.SequenceEqual(other.First.Span) && one.Second.Span.SequenceEqual(other.Second.Span);

        public int GetHashCode(JsonWebKey key) => HashCode.Combine(key.Kind, key.KeyId);
    }
}

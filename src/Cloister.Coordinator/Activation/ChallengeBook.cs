using System.Security.Cryptography;
using Cloister.Protocol.Marble;

namespace Cloister.Coordinator.Activation;

/// <summary>
/// Challenges that were given out and not yet used. Each serves once, for a short time; there is room for so many. Each may carry one enrolment,
/// which ends with it.
/// </summary>
internal sealed class ChallengeBook(TimeProvider time, int capacity = ChallengeBook.DefaultCapacity, int enrolments = ChallengeBook.DefaultEnrolments) : IDisposable
{
    public const int DefaultCapacity = 100_000, DefaultEnrolments = 4096;

    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    // Ages are measured by what only runs forward: setting the clock makes no challenge younger or older.
    private readonly Dictionary<Challenge, Entry> _open = [];
    private readonly Queue<(Challenge Challenge, long Issued)> _byAge = [];
    private int _enrolments;

    /// <summary>A fresh challenge of 32 random bytes.</summary>
    /// <exception cref="CoordinatorException">Busy: too many are open.</exception>
    public byte[] Issue()
    {
        byte[] bytes = RandomNumberGenerator.GetBytes(MarbleService.ChallengeBytes);
        lock (_lock)
        {
            long now = time.GetTimestamp();
            ForgetOld(now);
            if (_byAge.Count >= capacity)
                throw new CoordinatorException(CoordinatorError.Busy, $"{capacity} challenges were given out within {2 * Lifetime.TotalSeconds:0} seconds; try again later.");
            var challenge = new Challenge(bytes);
            _open.Add(challenge, new Entry(now));
            _byAge.Enqueue((challenge, now));
        }
        return bytes;
    }

    /// <summary>Takes the one enrolment that an open challenge serves; <see cref="Attach"/> keeps what comes of it.</summary>
    /// <exception cref="CoordinatorException">ChallengeUnknown, ChallengeExpired, EnrolmentRefused: it was taken before, or Busy.</exception>
    public void TakeEnrolment(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            ForgetOld(time.GetTimestamp());
            if (bytes.Length != MarbleService.ChallengeBytes || !_open.TryGetValue(new Challenge(bytes), out Entry? entry))
                throw Unknown();
            RequireYoung(entry);
            if (entry.EnrolmentTaken)
                throw new CoordinatorException(CoordinatorError.EnrolmentRefused, "A challenge serves one enrolment, and this one's was taken. Ask for a new challenge.");
            if (_enrolments >= enrolments)
                throw new CoordinatorException(CoordinatorError.Busy, $"{enrolments} enrolments are under way; try again later.");
            entry.EnrolmentTaken = true;
        }
    }

    /// <summary>Keeps a begun enrolment until its challenge is redeemed or old; one whose challenge is gone meanwhile is dropped.</summary>
    /// <exception cref="CoordinatorException">ChallengeUnknown.</exception>
    public void Attach(ReadOnlySpan<byte> bytes, PendingEnrolment enrolment)
    {
        lock (_lock)
        {
            if (!_open.TryGetValue(new Challenge(bytes), out Entry? entry))
            {
                enrolment.Dispose();
                throw Unknown();
            }
            entry.Enrolment = enrolment;
            _enrolments++;
        }
    }

    /// <summary>Uses a challenge up, whatever becomes of the request that carries it.</summary>
    /// <returns>The enrolment that was begun for it, now the caller's; null if none was.</returns>
    /// <exception cref="CoordinatorException">ChallengeUnknown or ChallengeExpired.</exception>
    public PendingEnrolment? Redeem(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            if (bytes.Length != MarbleService.ChallengeBytes || !_open.Remove(new Challenge(bytes), out Entry? entry))
                throw Unknown();
            if (entry.Enrolment is not null)
                _enrolments--;
            if (IsOld(entry))
                entry.Enrolment?.Dispose();
            RequireYoung(entry);
            return entry.Enrolment;
        }
    }

    /// <summary>Forgets the secrets of all enrolments.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (Entry entry in _open.Values)
                entry.Enrolment?.Dispose();
        }
    }

    // An expired one is kept for as long again, so that whoever comes late is told so.
    private void ForgetOld(long now)
    {
        while (_byAge.TryPeek(out var oldest) && time.GetElapsedTime(oldest.Issued, now) >= 2 * Lifetime)
        {
            _byAge.Dequeue();
            if (!_open.Remove(oldest.Challenge, out Entry? entry) || entry.Enrolment is not { } enrolment)
                continue;
            enrolment.Dispose();
            _enrolments--;
        }
    }

    private bool IsOld(Entry entry) => time.GetElapsedTime(entry.Issued) >= Lifetime;

    private void RequireYoung(Entry entry)
    {
        if (IsOld(entry))
            throw new CoordinatorException(CoordinatorError.ChallengeExpired, $"The challenge is older than {Lifetime.TotalSeconds:0} seconds. Ask for a new one.");
    }

    private static CoordinatorException Unknown() =>
        new(CoordinatorError.ChallengeUnknown, "The challenge is not one of this coordinator's, or it was used before. Ask for a new one.");

    private sealed class Entry(long issued)
    {
        public long Issued => issued;

        public bool EnrolmentTaken { get; set; }

        public PendingEnrolment? Enrolment { get; set; }
    }

    private readonly record struct Challenge(ulong A, ulong B, ulong C, ulong D)
    {
        public Challenge(ReadOnlySpan<byte> bytes)
            : this(BitConverter.ToUInt64(bytes), BitConverter.ToUInt64(bytes[8..]), BitConverter.ToUInt64(bytes[16..]), BitConverter.ToUInt64(bytes[24..]))
        {
        }
    }
}

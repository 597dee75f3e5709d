using System.Security.Cryptography;
using Cloister.Protocol.Marble;

namespace Cloister.Coordinator.Activation;

/// <summary>Challenges that were given out and not yet used. Each serves once, for a short time; there is room for so many.</summary>
internal sealed class ChallengeBook(TimeProvider time, int capacity = ChallengeBook.DefaultCapacity)
{
    public const int DefaultCapacity = 100_000;

    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    // Ages are measured by what only runs forward: setting the clock makes no challenge younger or older.
    private readonly Dictionary<Challenge, long> _open = [];
    private readonly Queue<(Challenge Challenge, long Issued)> _byAge = [];

    /// <summary>A fresh challenge of 32 random bytes.</summary>
    /// <exception cref="CoordinatorException">Busy: too many are open.</exception>
    public byte[] Issue()
    {
        byte[] bytes = RandomNumberGenerator.GetBytes(MarbleService.ChallengeBytes);
        lock (_lock)
        {
            long now = time.GetTimestamp();
            // An expired one is kept for as long again, so that whoever comes late is told so.
            while (_byAge.TryPeek(out var oldest) && time.GetElapsedTime(oldest.Issued, now) >= 2 * Lifetime)
            {
                _byAge.Dequeue();
                _open.Remove(oldest.Challenge);
            }
            if (_byAge.Count >= capacity)
                throw new CoordinatorException(CoordinatorError.Busy, $"{capacity} challenges were given out within {2 * Lifetime.TotalSeconds:0} seconds; try again later.");
            var challenge = new Challenge(bytes);
            _open.Add(challenge, now);
            _byAge.Enqueue((challenge, now));
        }
        return bytes;
    }

    /// <summary>Uses a challenge up, whatever becomes of the request that carries it.</summary>
    /// <exception cref="CoordinatorException">ChallengeUnknown or ChallengeExpired.</exception>
    public void Redeem(ReadOnlySpan<byte> bytes)
    {
        long issued;
        lock (_lock)
        {
            if (bytes.Length != MarbleService.ChallengeBytes || !_open.Remove(new Challenge(bytes), out issued))
                throw new CoordinatorException(CoordinatorError.ChallengeUnknown, "The challenge is not one of this coordinator's, or it was used before. Ask for a new one.");
        }
        if (time.GetElapsedTime(issued) >= Lifetime)
            throw new CoordinatorException(CoordinatorError.ChallengeExpired, $"The challenge is older than {Lifetime.TotalSeconds:0} seconds. Ask for a new one.");
    }

    private readonly record struct Challenge(ulong A, ulong B, ulong C, ulong D)
    {
        public Challenge(ReadOnlySpan<byte> bytes)
            : this(BitConverter.ToUInt64(bytes), BitConverter.ToUInt64(bytes[8..]), BitConverter.ToUInt64(bytes[16..]), BitConverter.ToUInt64(bytes[24..]))
        {
        }
    }
}

using System.Security.Cryptography;
using Cloister.Sealing;

namespace Cloister.Coordinator.Recovery;

/// <summary>A recovery secret as it was uploaded.</summary>
internal sealed record GivenSecret(byte[] Secret, byte[] Signature);

/// <summary>
/// Takes recovery secrets until they make a data key. With the recovery data at hand each is checked before it counts, so none can spoil the others.
/// Without it secrets can only be tried together, within a bound.
/// </summary>
internal sealed class RecoveryCollection(RecoveryData? expected) : IDisposable
{
    /// <summary>The most secrets that are tried together where the recovery data is lost: at most 2,048 combinations with the newest.</summary>
    public const int MaxBlind = 12;

    private const int MaxSignatureBytes = 2048;

    private readonly List<GivenSecret> _given = [];

    /// <summary>How long a secret is, for people.</summary>
    public static string PlainLengths { get; } = $"{KeyWrap.KeySize} or {KeyWrap.KeySize + 1}";

    /// <summary>How many more are needed; 1 where that is not known.</summary>
    public int Remaining => expected is null ? 1 : expected.Threshold - _given.Count;

    /// <summary>How many holders have not given theirs: what MarbleRun calls remaining, also where fewer are needed.</summary>
    public int Outstanding => expected is null ? 1 : expected.Holders.Length - _given.Count;

    /// <summary>No other secret will be taken.</summary>
    public bool IsFull => expected is null ? _given.Count >= MaxBlind : Remaining == 0;

    /// <summary>Whether this may be a secret as it is; an encrypted one is longer.</summary>
    public static bool IsPlain(ReadOnlySpan<byte> secret) => secret.Length is KeyWrap.KeySize or KeyWrap.KeySize + 1;

    /// <summary>Checks a secret and keeps a copy; false if it was given before.</summary>
    /// <exception cref="CoordinatorException">RecoverySecretRefused, RecoverySignatureInvalid: nothing was kept.</exception>
    public bool Add(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> signature)
    {
        if (!IsPlain(secret))
            throw new CoordinatorException(CoordinatorError.RecoverySecretRefused, $"A recovery secret has {PlainLengths} bytes, this one {secret.Length}. Decrypt it with your recovery key first.");
        if (signature.Length is 0 or > MaxSignatureBytes)
            throw new CoordinatorException(CoordinatorError.RecoverySignatureInvalid, "The secret comes without a signature of its recovery key over the plain secret: PKCS#1 v1.5, SHA-256.");
        if (expected is not null)
            Check(expected, secret, signature);
        foreach (GivenSecret given in _given)
        {
            if (CryptographicOperations.FixedTimeEquals(given.Secret, secret))
                return false;
        }
        byte[] kept = GC.AllocateUninitializedArray<byte>(secret.Length, pinned: true);
        secret.CopyTo(kept);
        _given.Add(new GivenSecret(kept, signature.ToArray()));
        return true;
    }

    /// <summary>The data keys that the secrets may make, each with the secrets it is made of. Each key is the caller's to dispose.</summary>
    public IEnumerable<(SecretBytes Key, IReadOnlyList<GivenSecret> From)> Candidates()
    {
        if (expected is null)
            return BlindCandidates();
        return Remaining == 0 && Join(_given, expected.Kind == RecoveryKind.Shamir) is { } key ? [(key, _given)] : [];
    }

    /// <summary>Forgets what was given.</summary>
    public void Clear()
    {
        foreach (GivenSecret given in _given)
            CryptographicOperations.ZeroMemory(given.Secret);
        _given.Clear();
    }

    public void Dispose() => Clear();

    /// <summary>Holds a secret to the recovery data: it has to be a holder's, signed with that holder's key.</summary>
    /// <exception cref="CoordinatorException">RecoverySecretRefused, RecoverySignatureInvalid.</exception>
    public static RecoveryHolder Check(RecoveryData data, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> signature)
    {
        RecoveryHolder holder = data.HolderOf(secret) ?? throw new CoordinatorException(CoordinatorError.RecoverySecretRefused,
            "setting recovery key: uploaded an invalid secret, which is none of the sealed state's. Use those of the manifest that was in force last; what was uploaded before still counts.");
        bool valid;
        try
        {
            using RSA key = RSA.Create();
            key.ImportSubjectPublicKeyInfo(holder.PublicKey, out _);
            valid = key.VerifyData(secret, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
        catch (CryptographicException)
        {
            valid = false;
        }
        return valid ? holder : throw new CoordinatorException(CoordinatorError.RecoverySignatureInvalid,
            $"no matching recovery key found for recovery public key \"{holder.Name}\": the secret is not signed with it. Sign the plain secret with that key: PKCS#1 v1.5, SHA-256.");
    }

    // Each subset that has the newest secret in it: the others were tried before.
    private IEnumerable<(SecretBytes Key, IReadOnlyList<GivenSecret> From)> BlindCandidates()
    {
        if (_given.Count == 0)
            yield break;
        GivenSecret newest = _given[^1];
        GivenSecret[] others = [.. _given[..^1].Where(given => given.Secret.Length == newest.Secret.Length)];
        for (int chosen = 0; chosen < 1 << others.Length; chosen++)
        {
            List<GivenSecret> from = [newest, .. others.Where((_, i) => (chosen >> i & 1) == 1)];
            if (Join(from, shamir: newest.Secret.Length > KeyWrap.KeySize) is { } key)
                yield return (key, from);
        }
    }

    private static SecretBytes? Join(List<GivenSecret> from, bool shamir)
    {
        ReadOnlyMemory<byte>[] shares = [.. from.Select(given => new ReadOnlyMemory<byte>(given.Secret))];
        try
        {
            byte[] joined = shamir ? ShamirSharing.Combine(shares) : XorSharing.Combine(shares);
            SecretBytes? key = joined.Length == KeyWrap.KeySize ? SecretBytes.Copy(joined) : null;
            CryptographicOperations.ZeroMemory(joined);
            return key;
        }
        catch (SealingException)
        {
            // These do not belong together: they make no key.
            return null;
        }
    }
}

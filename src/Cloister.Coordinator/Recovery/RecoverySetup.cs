using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Sealing;

namespace Cloister.Coordinator.Recovery;

/// <summary>
/// A new data key and its recovery secrets, made for a manifest before the change that sets it. The change applies it; once that is durable the state is
/// sealed under the new key and the secrets are handed out. Without a change of recovery keys there is nothing to apply.
/// </summary>
/// <remarks>Use: prepare, <see cref="Apply"/> in the change's decision, hand out <see cref="Secrets"/> after it, dispose in any case.</remarks>
internal sealed class RecoverySetup : IDisposable
{
    private readonly SecretBytes? _key;
    private readonly RecoveryData? _data;

    private RecoverySetup(SecretBytes? key, RecoveryData? data, ImmutableDictionary<string, byte[]> secrets) => (_key, _data, Secrets) = (key, data, secrets);

    /// <summary>By recovery key: its holder's secret, encrypted to it with RSA-OAEP-SHA256. Empty if nothing changes or the manifest names no recovery key.</summary>
    public ImmutableDictionary<string, byte[]> Secrets { get; }

    /// <summary>Whether the second manifest wants other recovery keys, or another number of them, than the first. All of them by number or by 0 is the same.</summary>
    public static bool IsNeeded(ManifestDocument? before, ManifestDocument after) => before is null
        ? !after.RecoveryKeys.IsEmpty
        : Needed(before) != Needed(after)
            || before.RecoveryKeys.Count != after.RecoveryKeys.Count
            || after.RecoveryKeys.Any(key => !before.RecoveryKeys.TryGetValue(key.Key, out string? pem) || pem != key.Value);

    /// <summary>How many recovery secrets open a manifest's state; 0 where none does.</summary>
    public static int Needed(ManifestDocument manifest) =>
        // The manifest's checks hold the threshold to the number of keys.
        manifest.Config.RecoveryThreshold == 0 ? manifest.RecoveryKeys.Count : checked((int)manifest.Config.RecoveryThreshold);

    /// <summary>Makes what a manifest needs that follows another.</summary>
    /// <param name="before">The manifest in force; null for the first.</param>
    /// <param name="after">The one to be set.</param>
    /// <exception cref="CoordinatorException">ManifestRefused: a recovery key cannot encrypt a secret.</exception>
    public static RecoverySetup Prepare(ManifestDocument? before, ManifestDocument after)
    {
        if (!IsNeeded(before, after))
            return new RecoverySetup(null, null, ImmutableDictionary<string, byte[]>.Empty);
        // A key that was given away before must not open what comes, so there is a new one even where nobody will hold its parts.
        SecretBytes key = SecretBytes.Random(KeyWrap.KeySize);
        try
        {
            return after.RecoveryKeys.IsEmpty ? new RecoverySetup(key, null, ImmutableDictionary<string, byte[]>.Empty) : Share(key, after);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>The snapshot with this setup in it; the same one if nothing changes.</summary>
    public CoordinatorSnapshot Apply(CoordinatorSnapshot snapshot) => _key is null ? snapshot : snapshot with { Recovery = _data, NewDataKey = _key };

    /// <summary>Zeroes the key; the store has its own copy once the change is durable.</summary>
    public void Dispose() => _key?.Dispose();

    private static RecoverySetup Share(SecretBytes key, ManifestDocument manifest)
    {
        int count = manifest.RecoveryKeys.Count;
        if (count > RecoveryData.MaxHolders)
            throw new CoordinatorException(CoordinatorError.ManifestRefused, $"RecoveryKeys: {count} are named; at most {RecoveryData.MaxHolders} can share a key.");
        int threshold = Needed(manifest);
        RecoveryKind kind = count == 1 ? RecoveryKind.Whole : threshold == count ? RecoveryKind.Xor : RecoveryKind.Shamir;
        byte[][] shares = kind switch
        {
            RecoveryKind.Whole => [key.Span.ToArray()],
            RecoveryKind.Xor => XorSharing.Split(key.Span, count),
            _ => ShamirSharing.Split(key.Span, count, threshold),
        };
        try
        {
            var holders = ImmutableArray.CreateBuilder<RecoveryHolder>(count);
            var secrets = ImmutableDictionary.CreateBuilder<string, byte[]>(StringComparer.Ordinal);
            foreach ((string name, string pem) in manifest.RecoveryKeys)
            {
                byte[] share = shares[holders.Count];
                (byte[] publicKey, byte[] encrypted) = Encrypt(name, pem, share);
                holders.Add(new RecoveryHolder(name, publicKey, SHA256.HashData(share)));
                secrets.Add(name, encrypted);
            }
            var data = new RecoveryData(RecoveryData.CurrentFormat, kind, threshold, holders.ToImmutable());
            // What could not be read back would make the state unreadable.
            if (RecoveryData.Decode(data.Encode()) is null)
                throw new CoordinatorException(CoordinatorError.ManifestRefused, "RecoveryKeys: a key is larger than 16,384 bits, or the names are too long.");
            return new RecoverySetup(key, data, secrets.ToImmutable());
        }
        finally
        {
            foreach (byte[] share in shares)
                CryptographicOperations.ZeroMemory(share);
        }
    }

    private static (byte[] PublicKey, byte[] Encrypted) Encrypt(string name, string pem, byte[] share)
    {
        try
        {
            using RSA key = RSA.Create();
            key.ImportFromPem(pem);
            return (key.ExportSubjectPublicKeyInfo(), key.Encrypt(share, RSAEncryptionPadding.OaepSHA256));
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            throw new CoordinatorException(CoordinatorError.ManifestRefused,
                $"RecoveryKeys.{name}: the key cannot encrypt a recovery secret; an RSA public key of 2048 bits or more in PEM is needed ({error.Message})", error);
        }
    }
}

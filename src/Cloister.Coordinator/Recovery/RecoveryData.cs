using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Coordinator.Recovery;

/// <summary>How the data key was given to the holders of recovery keys.</summary>
internal enum RecoveryKind
{
    /// <summary>One holder has the data key itself.</summary>
    Whole = 1,
    /// <summary>All holders are needed: the XOR of their secrets is the data key.</summary>
    Xor = 2,
    /// <summary>Some holders are enough: Shamir's sharing.</summary>
    Shamir = 3,
}

/// <summary>Who holds a recovery secret, without the secret.</summary>
/// <param name="Name">The recovery key's name in the manifest.</param>
/// <param name="PublicKey">RSA, SubjectPublicKeyInfo, DER.</param>
/// <param name="SecretDigest">SHA-256 of the holder's secret.</param>
internal sealed record RecoveryHolder(string Name, byte[] PublicKey, byte[] SecretDigest);

/// <summary>
/// What is needed to take recovery secrets: it stands in clear beside the sealed state, and once more in it, where it is the truth.
/// Layout in docs/formats/state.md, part 5.
/// </summary>
/// <param name="Format">1.</param>
/// <param name="Kind">How the secrets make the data key.</param>
/// <param name="Threshold">How many secrets are needed.</param>
/// <param name="Holders">In the order of their names.</param>
internal sealed record RecoveryData(int Format, RecoveryKind Kind, int Threshold, ImmutableArray<RecoveryHolder> Holders)
{
    public const int CurrentFormat = 1, MaxHolders = 255, MaxBytes = 2 << 20;
    private const int MaxPublicKeyBytes = 4096;

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, RecoveryJson.Strict.RecoveryData);

    /// <summary>Null for anything <see cref="Encode"/> would not have written.</summary>
    public static RecoveryData? Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxBytes)
            return null;
        try
        {
            return JsonSerializer.Deserialize(bytes, RecoveryJson.Strict.RecoveryData) is { } data && data.IsWhole() ? data : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The holder of this secret, or null.</summary>
    public RecoveryHolder? HolderOf(ReadOnlySpan<byte> secret)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(secret, digest);
        foreach (RecoveryHolder holder in Holders)
        {
            if (CryptographicOperations.FixedTimeEquals(holder.SecretDigest, digest))
                return holder;
        }
        return null;
    }

    /// <summary>Fuzz target: any bytes are refused, or decode to data that encodes and decodes to the same.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (Decode(bytes) is { } data && (Decode(data.Encode()) is not { } again || !again.Encode().AsSpan().SequenceEqual(data.Encode())))
            throw new InvalidOperationException("Recovery data was read that would not have been written.");
    }

    private bool IsWhole()
    {
        if (Format != CurrentFormat || Holders.IsDefaultOrEmpty || Holders.Length > MaxHolders
            || Holders.Any(holder => holder?.SecretDigest.Length != SHA256.HashSizeInBytes || holder.PublicKey.Length is 0 or > MaxPublicKeyBytes)
            || Holders.Select(holder => holder.Name).Distinct(StringComparer.Ordinal).Count() != Holders.Length)
            return false;
        return Kind switch
        {
            RecoveryKind.Whole => Holders.Length == 1 && Threshold == 1,
            RecoveryKind.Xor => Holders.Length >= 2 && Threshold == Holders.Length,
            RecoveryKind.Shamir => Threshold >= 2 && Threshold < Holders.Length,
            _ => false,
        };
    }
}

/// <summary>Strict JSON of the recovery data.</summary>
[JsonSerializable(typeof(RecoveryData))]
internal sealed partial class RecoveryJson : JsonSerializerContext
{
    public static RecoveryJson Strict { get; } = new(new JsonSerializerOptions
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = 8,
    });
}

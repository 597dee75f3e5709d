using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.State;

/// <summary>The record <c>state</c>.</summary>
internal sealed record StoredState(int Format, int State)
{
    public const int CurrentFormat = 2;
}

/// <summary>The record <c>manifestInfo</c>: what belongs to the manifest beside its bytes.</summary>
internal sealed record StoredManifest(ManifestDialect Dialect, byte[] RootSignature, ImmutableArray<StoredOwner> Owners);

/// <summary>An owner's signature.</summary>
internal sealed record StoredOwner(byte[] PublicKey, byte[] Signature);

/// <summary>The record <c>pendingUpdate</c>.</summary>
internal sealed record StoredUpdate(byte[] Manifest, ManifestDialect Dialect, ImmutableArray<StoredOwner> Owners, ImmutableArray<string> Acknowledged);

/// <summary>Strict JSON of the stored documents.</summary>
[JsonSerializable(typeof(StoredState))]
[JsonSerializable(typeof(StoredManifest))]
[JsonSerializable(typeof(StoredUpdate))]
[JsonSerializable(typeof(SecretRelease))]
internal sealed partial class StoredJson : JsonSerializerContext
{
    public static StoredJson Strict { get; } = new(new JsonSerializerOptions
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = 8,
    });
}

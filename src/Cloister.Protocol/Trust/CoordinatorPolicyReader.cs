using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Unicode;
using Cloister.Attestation;
using Cloister.Protocol.Manifest;

namespace Cloister.Protocol.Trust;

/// <summary>Reads <see cref="CoordinatorPolicy"/> documents.</summary>
internal static class CoordinatorPolicyReader
{
    private const int MaxKeys = 64;

    public static Outcome<CoordinatorPolicy> Read(ReadOnlySpan<byte> json)
    {
        if (json.Length > CoordinatorPolicy.MaxBytes) return Refuse(Refusal.PolicyTooLarge, "", $"{json.Length} bytes; the limit is {CoordinatorPolicy.MaxBytes}");
        if (!Utf8.IsValid(json)) return Refuse(Refusal.PolicyMalformed, "", "not UTF-8");
        try
        {
            using JsonDocument document = JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { MaxDepth = 64 });
            return Read(document.RootElement);
        }
        catch (JsonException error)
        {
            return Refuse(Refusal.PolicyMalformed, "", $"not JSON: {error.Message}");
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate in an escape is found when the text is taken out.
            return Refuse(Refusal.PolicyMalformed, "", "a text in it is not Unicode");
        }
    }

    private static Outcome<CoordinatorPolicy> Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) return Refuse(Refusal.PolicyMalformed, "", "not an object");
        JsonElement? coordinator = null, owners = null, manifest = null;
        foreach (JsonProperty member in root.EnumerateObject())
        {
            JsonElement? before;
            switch (member.Name)
            {
                case "Coordinator": (before, coordinator) = (coordinator, member.Value); break;
                case "OwnerKeys": (before, owners) = (owners, member.Value); break;
                case "Manifest": (before, manifest) = (manifest, member.Value); break;
                default: return Refuse(Refusal.PolicyMemberUnknown, member.Name, "known are Coordinator, OwnerKeys and Manifest");
            }
            if (before is not null) return Refuse(Refusal.PolicyMemberDuplicate, member.Name, "stands twice");
        }
        if (coordinator is null) return Refuse(Refusal.PolicyMemberMissing, "Coordinator", "say what may run as the coordinator");
        if (owners is null) return Refuse(Refusal.PolicyMemberMissing, "OwnerKeys", "say whose manifests are accepted, or \"Any\"");
        if (manifest is null) return Refuse(Refusal.PolicyMemberMissing, "Manifest", "say which manifest is accepted, or \"Any\"");

        Outcome<PackagePolicy> package = PolicyReader.Read(coordinator.Value);
        if (!package.IsAccepted) return Refuse(package.Refusal, "Coordinator" + (package.Field.StartsWith("policy", StringComparison.Ordinal) ? package.Field["policy".Length..] : ""), package.Reason);
        Outcome<OwnerRequirement> ownerKeys = ReadOwners(owners.Value);
        if (!ownerKeys.IsAccepted) return ownerKeys.RefuseAs<CoordinatorPolicy>();
        Outcome<ManifestRequirement> expected = ReadManifest(manifest.Value);
        return expected.IsAccepted
            ? Outcome.Accept(new CoordinatorPolicy(package.Value, ownerKeys.Value, expected.Value))
            : expected.RefuseAs<CoordinatorPolicy>();
    }

    private static Outcome<OwnerRequirement> ReadOwners(JsonElement value)
    {
        if (IsAny(value)) return Outcome.Accept(OwnerRequirement.AnyOwner);
        if (value.ValueKind != JsonValueKind.Array) return Outcome.Refuse<OwnerRequirement>(Refusal.PolicyMalformed, "OwnerKeys", "an array of keys, or \"Any\"");
        int count = value.GetArrayLength();
        if (count == 0) return Outcome.Refuse<OwnerRequirement>(Refusal.PolicyEmpty, "OwnerKeys", "name at least one key, or \"Any\"");
        if (count > MaxKeys) return Outcome.Refuse<OwnerRequirement>(Refusal.PolicyTooLarge, "OwnerKeys", $"more than {MaxKeys} keys");
        var keys = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>(count);
        foreach (JsonElement item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String || !item.TryGetBytesFromBase64(out byte[]? key) || !ManifestOwner.IsOwnerKey(key))
                return Outcome.Refuse<OwnerRequirement>(Refusal.PolicyKeyInvalid, $"OwnerKeys[{keys.Count}]", "an owner's key is base64 of a P-256 or P-384 SubjectPublicKeyInfo");
            keys.Add(key);
        }
        return Outcome.Accept<OwnerRequirement>(new OwnerRequirement.SignedBy(keys.MoveToImmutable()));
    }

    private static Outcome<ManifestRequirement> ReadManifest(JsonElement value)
    {
        if (IsAny(value)) return Outcome.Accept(ManifestRequirement.AnyManifest);
        if (value.ValueKind != JsonValueKind.Object) return Outcome.Refuse<ManifestRequirement>(Refusal.PolicyMalformed, "Manifest", "{\"Exactly\": fingerprint}, or \"Any\"");
        JsonProperty[] members = [.. value.EnumerateObject().Take(2)];
        if (members.Length != 1 || members[0].Name != "Exactly") return Outcome.Refuse<ManifestRequirement>(Refusal.PolicyMalformed, "Manifest", "its only member is Exactly");
        return members[0].Value.ValueKind == JsonValueKind.String && members[0].Value.GetString() is { } fingerprint && ManifestFingerprint.IsValid(fingerprint)
            ? Outcome.Accept<ManifestRequirement>(new ManifestRequirement.Exactly(fingerprint))
            : Outcome.Refuse<ManifestRequirement>(Refusal.PolicyDigestInvalid, "Manifest.Exactly", "a fingerprint is 64 lower-case hex digits");
    }

    private static bool IsAny(JsonElement value) => value.ValueKind == JsonValueKind.String && value.ValueEquals("Any"u8);

    private static Outcome<CoordinatorPolicy> Refuse(Refusal refusal, string field, string reason) => Outcome.Refuse<CoordinatorPolicy>(refusal, field, reason);

    /// <summary>Fuzz target: what is accepted can be written and reads back the same.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        Outcome<CoordinatorPolicy> read = Read(data);
        if (!read.IsAccepted) return;
        byte[] written = read.Value.ToBytes();
        if (!Read(written).IsAccepted || !Read(written).Value.ToBytes().AsSpan().SequenceEqual(written))
            throw new InvalidOperationException("An accepted policy did not survive being written.");
    }
}

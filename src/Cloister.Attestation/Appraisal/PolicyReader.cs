using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Tpm;

namespace Cloister.Attestation;

/// <summary>Reads a <see cref="PackagePolicy"/> from JSON (docs/formats/policy.md). What it does not know, it refuses.</summary>
public static class PolicyReader
{
    /// <summary>Deepest nesting of <c>AllOf</c> and <c>AnyOf</c>.</summary>
    public const int MaximumDepth = 8;

    /// <summary>Most parts of one policy, at all depths together.</summary>
    public const int MaximumParts = 64;

    /// <summary>Most digests or keys in one list.</summary>
    public const int MaximumValues = 256;

    private const int DigestLength = 64, MaximumJsonDepth = 64;

    private static readonly ImmutableDictionary<string, TeeKind> Unsupported = new[] { TeeKind.NvidiaGpu }
        .ToImmutableDictionary(kind => kind.ToString(), StringComparer.Ordinal);

    /// <summary>Reads a policy from UTF-8 JSON.</summary>
    public static Outcome<PackagePolicy> Read(ReadOnlySpan<byte> utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8.ToArray(), new JsonDocumentOptions { MaxDepth = MaximumJsonDepth });
            return Read(document.RootElement);
        }
        catch (JsonException malformed)
        {
            return Refuse(Refusal.PolicyMalformed, "policy", $"not JSON: {malformed.Message}");
        }
    }

    /// <summary>Reads a policy from a JSON value.</summary>
    public static Outcome<PackagePolicy> Read(JsonElement policy)
    {
        try
        {
            int parts = 0;
            Outcome<PackagePolicy> read = ReadPart(policy, "policy", 0, ref parts);
            return read.TryGetValue(out PackagePolicy? whole) && TpmEnrolment.RootsDiffer(whole)
                ? Refuse(Refusal.PolicyRootsDiffer, "policy", "one activation of a TPM's key serves the whole policy: all Endorsed parts name the same Roots")
                : read;
        }
        catch (PolicyRefusedException refused)
        {
            return Refuse(refused.Refusal, refused.Field, refused.Message);
        }
        catch (InvalidOperationException malformed) when (malformed is not ObjectDisposedException)
        {
            // A text with half a surrogate pair is found only when it is taken out.
            return Refuse(Refusal.PolicyMalformed, "policy", "a text in it is not Unicode");
        }
    }

    /// <summary>Fuzz target: any bytes give a policy or a refusal, and an accepted policy can be written and read back.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (Read(bytes).TryGetValue(out PackagePolicy? policy) && !Read(PolicyWriter.Write(policy)).IsAccepted)
            throw new InvalidOperationException("An accepted policy was refused after it was written.");
    }

    private static Outcome<PackagePolicy> ReadPart(JsonElement policy, string at, int depth, ref int parts)
    {
        if (++parts > MaximumParts) return Refuse(Refusal.PolicyTooLarge, at, $"more than {MaximumParts} parts");
        if (depth > MaximumDepth) return Refuse(Refusal.PolicyTooLarge, at, $"nested more than {MaximumDepth} deep");
        if (policy.ValueKind != JsonValueKind.Object) return Refuse(Refusal.PolicyMalformed, at, "a policy is an object");
        JsonProperty[] members = [.. policy.EnumerateObject().Take(2)];
        if (members.Length != 1) return Refuse(members.Length == 0 ? Refusal.PolicyEmpty : Refusal.PolicyMalformed, at, "a policy has exactly one member: a kind of TEE, AllOf or AnyOf");
        string name = members[0].Name;
        JsonElement value = members[0].Value;
        return name switch
        {
            "AllOf" => ReadParts(value, $"{at}.AllOf", depth, ref parts, all => new AllOf(all)),
            "AnyOf" => ReadParts(value, $"{at}.AnyOf", depth, ref parts, any => new AnyOf(any)),
            "Simulation" => ReadSimulation(value, $"{at}.Simulation"),
            "Tpm" => Outcome.Accept<PackagePolicy>(TpmPolicyJson.Read(value, $"{at}.Tpm")),
            "SevSnp" => Outcome.Accept<PackagePolicy>(SnpPolicyJson.Read(value, $"{at}.SevSnp")),
            "Tdx" => Outcome.Accept<PackagePolicy>(DcapPolicyJson.ReadTdx(value, $"{at}.Tdx")),
            "Sgx" => Outcome.Accept<PackagePolicy>(DcapPolicyJson.ReadSgx(value, $"{at}.Sgx")),
            _ when Unsupported.TryGetValue(name, out TeeKind kind) => value.ValueKind == JsonValueKind.Object
                ? Outcome.Accept<PackagePolicy>(new UnsupportedPolicy(kind))
                : Refuse(Refusal.PolicyMalformed, $"{at}.{name}", "a policy for a TEE is an object"),
            _ => Refuse(Refusal.PolicyMemberUnknown, $"{at}.{name}", $"not a policy; known are Simulation, Tpm, SevSnp, Tdx, Sgx, AllOf, AnyOf, {string.Join(", ", Unsupported.Keys.Order(StringComparer.Ordinal))}"),
        };
    }

    private static Outcome<PackagePolicy> ReadParts(JsonElement list, string at, int depth, ref int parts, Func<ImmutableArray<PackagePolicy>, PackagePolicy> join)
    {
        if (list.ValueKind != JsonValueKind.Array) return Refuse(Refusal.PolicyMalformed, at, "a list of policies is an array");
        if (list.GetArrayLength() == 0) return Refuse(Refusal.PolicyEmpty, at, "an empty list accepts nothing and is not written");
        var read = ImmutableArray.CreateBuilder<PackagePolicy>();
        foreach (JsonElement part in list.EnumerateArray())
        {
            Outcome<PackagePolicy> outcome = ReadPart(part, $"{at}[{read.Count}]", depth + 1, ref parts);
            if (!outcome.IsAccepted) return outcome;
            read.Add(outcome.Value);
        }
        return Outcome.Accept(join(read.ToImmutable()));
    }

    private static Outcome<PackagePolicy> ReadSimulation(JsonElement policy, string at)
    {
        if (policy.ValueKind != JsonValueKind.Object) return Refuse(Refusal.PolicyMalformed, at, "a policy for a TEE is an object");
        JsonElement? digest = null, keys = null;
        foreach (JsonProperty member in policy.EnumerateObject())
        {
            if (member.Name is not ("Digest" or "HostKeys")) return Refuse(Refusal.PolicyMemberUnknown, $"{at}.{member.Name}", "known are Digest and HostKeys");
            ref JsonElement? slot = ref member.Name == "Digest" ? ref digest : ref keys;
            if (slot is not null) return Refuse(Refusal.PolicyMemberDuplicate, $"{at}.{member.Name}", "stands twice");
            slot = member.Value;
        }
        if (digest is null) return Refuse(Refusal.PolicyMemberMissing, $"{at}.Digest", "say which digest, or {\"Any\": true}");
        if (keys is null) return Refuse(Refusal.PolicyMemberMissing, $"{at}.HostKeys", "say whose signature is accepted");
        Outcome<Requirement<string>> requirement = ReadDigest(digest.Value, $"{at}.Digest");
        if (!requirement.IsAccepted) return requirement.RefuseAs<PackagePolicy>();
        Outcome<ImmutableArray<ReadOnlyMemory<byte>>> hostKeys = ReadKeys(keys.Value, $"{at}.HostKeys");
        return hostKeys.IsAccepted
            ? Outcome.Accept<PackagePolicy>(new SimulationPolicy(requirement.Value, hostKeys.Value))
            : hostKeys.RefuseAs<PackagePolicy>();
    }

    private static Outcome<Requirement<string>> ReadDigest(JsonElement value, string at)
    {
        if (value.ValueKind == JsonValueKind.String) return ReadExactly(value, at);
        if (value.ValueKind != JsonValueKind.Object) return Outcome.Refuse<Requirement<string>>(Refusal.PolicyMalformed, at, "a digest is a text, or an object with Exactly, OneOf or Any");
        JsonProperty[] members = [.. value.EnumerateObject().Take(2)];
        if (members.Length != 1) return Outcome.Refuse<Requirement<string>>(Refusal.PolicyMalformed, at, "exactly one of Exactly, OneOf, Any");
        JsonElement content = members[0].Value;
        return members[0].Name switch
        {
            "Exactly" => ReadExactly(content, $"{at}.Exactly"),
            "OneOf" => ReadOneOf(content, $"{at}.OneOf"),
            "Any" when content.ValueKind == JsonValueKind.True => Outcome.Accept(Requirement.Any<string>()),
            "Any" => Outcome.Refuse<Requirement<string>>(Refusal.PolicyMalformed, $"{at}.Any", "its only value is true"),
            "AtLeast" => Outcome.Refuse<Requirement<string>>(Refusal.RequirementNotApplicable, $"{at}.AtLeast", "digests have no order"),
            string other => Outcome.Refuse<Requirement<string>>(Refusal.PolicyMemberUnknown, $"{at}.{other}", "known are Exactly, OneOf and Any"),
        };
    }

    private static Outcome<Requirement<string>> ReadExactly(JsonElement value, string at) => DigestOf(value) is { } digest
        ? Outcome.Accept(Requirement.Exactly(digest))
        : Outcome.Refuse<Requirement<string>>(Refusal.PolicyDigestInvalid, at, $"a digest is {DigestLength} lower-case hexadecimal digits");

    private static Outcome<Requirement<string>> ReadOneOf(JsonElement list, string at)
    {
        if (list.ValueKind != JsonValueKind.Array) return Outcome.Refuse<Requirement<string>>(Refusal.PolicyMalformed, at, "OneOf is an array");
        int count = list.GetArrayLength();
        if (count == 0) return Outcome.Refuse<Requirement<string>>(Refusal.PolicyEmpty, at, "an empty list accepts nothing and is not written");
        if (count > MaximumValues) return Outcome.Refuse<Requirement<string>>(Refusal.PolicyTooLarge, at, $"more than {MaximumValues} digests");
        var digests = ImmutableArray.CreateBuilder<string>(count);
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (DigestOf(item) is not { } digest) return Outcome.Refuse<Requirement<string>>(Refusal.PolicyDigestInvalid, $"{at}[{digests.Count}]", $"a digest is {DigestLength} lower-case hexadecimal digits");
            digests.Add(digest);
        }
        return Outcome.Accept(Requirement.OneOf(digests.MoveToImmutable()));
    }

    private static Outcome<ImmutableArray<ReadOnlyMemory<byte>>> ReadKeys(JsonElement list, string at)
    {
        if (list.ValueKind != JsonValueKind.Array) return RefuseKeys(Refusal.PolicyMalformed, at, "host keys are an array");
        int count = list.GetArrayLength();
        if (count == 0) return RefuseKeys(Refusal.PolicyEmpty, at, "name at least one host key");
        if (count > MaximumValues) return RefuseKeys(Refusal.PolicyTooLarge, at, $"more than {MaximumValues} keys");
        var keys = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>(count);
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (KeyOf(item) is not { } key) return RefuseKeys(Refusal.PolicyKeyInvalid, $"{at}[{keys.Count}]", "a host key is base64 of a P-256 SubjectPublicKeyInfo (the simulator's host-key.spki)");
            keys.Add(key);
        }
        return Outcome.Accept(keys.MoveToImmutable());
    }

    private static string? DigestOf(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { Length: DigestLength } text && text.All(char.IsAsciiHexDigitLower) ? text : null;

    private static byte[]? KeyOf(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String || value.GetString() is not { Length: > 0 and <= 1024 } text || !Base64.IsValid(text)) return null;
        byte[] key = Convert.FromBase64String(text);
        using ECDsa? read = Simulation.SimulationLayout.ImportHostKey(key);
        return read is null ? null : key;
    }

    private static Outcome<PackagePolicy> Refuse(Refusal refusal, string field, string reason) => Outcome.Refuse<PackagePolicy>(refusal, field, reason);

    private static Outcome<ImmutableArray<ReadOnlyMemory<byte>>> RefuseKeys(Refusal refusal, string field, string reason) =>
        Outcome.Refuse<ImmutableArray<ReadOnlyMemory<byte>>>(refusal, field, reason);
}

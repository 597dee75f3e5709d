using System.Collections.Immutable;
using System.Text.Json;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;

namespace Cloister.Attestation.Dcap;

/// <summary>The JSON of policies for TDX and SGX (docs/formats/policy.md).</summary>
internal static class DcapPolicyJson
{
    private const int Sha384 = 48, Sha256 = 32, MaximumGraceDays = 3650;

    /// <exception cref="PolicyRefusedException">It is not of its form.</exception>
    public static TdxPolicy ReadTdx(JsonElement value, string at)
    {
        var members = new PolicyMembers(value, at, "MrTd", "Rtmr0", "Rtmr1", "Rtmr2", "Rtmr3", "MrSeam", "MrConfigId", "MrOwner", "MrOwnerConfig", "MrServiceTd", "Attributes", "Xfam", "Debug", "Tcb");
        return new TdxPolicy
        {
            MrTd = members.Bytes("MrTd", Sha384),
            Rtmr0 = members.Bytes("Rtmr0", Sha384),
            Rtmr1 = members.Bytes("Rtmr1", Sha384),
            Rtmr2 = members.Bytes("Rtmr2", Sha384),
            Rtmr3 = members.Bytes("Rtmr3", Sha384),
            MrSeam = members.Bytes("MrSeam", Sha384),
            MrConfigId = members.Bytes("MrConfigId", Sha384),
            MrOwner = members.Bytes("MrOwner", Sha384),
            MrOwnerConfig = members.Bytes("MrOwnerConfig", Sha384),
            MrServiceTd = members.Bytes("MrServiceTd", Sha384),
            Attributes = members.Bits("Attributes"),
            Xfam = members.Bits("Xfam"),
            AllowDebug = members.Flag("Debug"),
            Tcb = ReadTcb(members.Element("Tcb"), members.At("Tcb")),
        };
    }

    /// <exception cref="PolicyRefusedException">It is not of its form.</exception>
    public static SgxPolicy ReadSgx(JsonElement value, string at)
    {
        var members = new PolicyMembers(value, at, "MrEnclave", "MrSigner", "ProductId", "Svn", "ConfigId", "ConfigSvn", "FamilyId", "ExtendedProductId", "Flags", "Xfrm", "Debug", "ProvisionKey", "Tcb");
        return new SgxPolicy
        {
            MrEnclave = members.Bytes("MrEnclave", Sha256),
            MrSigner = members.Bytes("MrSigner", Sha256),
            ProductId = members.Number("ProductId", ushort.MaxValue),
            Svn = members.Number("Svn", ushort.MaxValue),
            ConfigId = members.Bytes("ConfigId", 64),
            ConfigSvn = members.Number("ConfigSvn", ushort.MaxValue),
            FamilyId = members.Bytes("FamilyId", 16),
            ExtendedProductId = members.Bytes("ExtendedProductId", 16),
            Flags = members.Bits("Flags"),
            Xfrm = members.Bits("Xfrm"),
            AllowDebug = members.Flag("Debug"),
            AllowProvisionKey = members.Flag("ProvisionKey"),
            Tcb = ReadTcb(members.Element("Tcb"), members.At("Tcb")),
        };
    }

    public static void Write(Utf8JsonWriter writer, TdxPolicy policy)
    {
        writer.WriteStartObject("Tdx");
        PolicyWriter.WriteRequirement(writer, "MrTd", policy.MrTd);
        PolicyWriter.WriteRequirement(writer, "Rtmr0", policy.Rtmr0);
        PolicyWriter.WriteRequirement(writer, "Rtmr1", policy.Rtmr1);
        PolicyWriter.WriteRequirement(writer, "Rtmr2", policy.Rtmr2);
        PolicyWriter.WriteRequirement(writer, "Rtmr3", policy.Rtmr3);
        PolicyWriter.WriteRequirement(writer, "MrSeam", policy.MrSeam);
        PolicyWriter.WriteRequirement(writer, "MrConfigId", policy.MrConfigId);
        PolicyWriter.WriteRequirement(writer, "MrOwner", policy.MrOwner);
        PolicyWriter.WriteRequirement(writer, "MrOwnerConfig", policy.MrOwnerConfig);
        PolicyWriter.WriteRequirement(writer, "MrServiceTd", policy.MrServiceTd);
        PolicyWriter.WriteRequirement(writer, "Attributes", policy.Attributes);
        PolicyWriter.WriteRequirement(writer, "Xfam", policy.Xfam);
        writer.WriteBoolean("Debug", policy.AllowDebug);
        Write(writer, policy.Tcb);
        writer.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter writer, SgxPolicy policy)
    {
        writer.WriteStartObject("Sgx");
        PolicyWriter.WriteRequirement(writer, "MrEnclave", policy.MrEnclave);
        PolicyWriter.WriteRequirement(writer, "MrSigner", policy.MrSigner);
        PolicyWriter.WriteRequirement(writer, "ProductId", policy.ProductId);
        PolicyWriter.WriteRequirement(writer, "Svn", policy.Svn);
        PolicyWriter.WriteRequirement(writer, "ConfigId", policy.ConfigId);
        PolicyWriter.WriteRequirement(writer, "ConfigSvn", policy.ConfigSvn);
        PolicyWriter.WriteRequirement(writer, "FamilyId", policy.FamilyId);
        PolicyWriter.WriteRequirement(writer, "ExtendedProductId", policy.ExtendedProductId);
        PolicyWriter.WriteRequirement(writer, "Flags", policy.Flags);
        PolicyWriter.WriteRequirement(writer, "Xfrm", policy.Xfrm);
        writer.WriteBoolean("Debug", policy.AllowDebug);
        writer.WriteBoolean("ProvisionKey", policy.AllowProvisionKey);
        Write(writer, policy.Tcb);
        writer.WriteEndObject();
    }

    private static TcbPolicy ReadTcb(JsonElement value, string at)
    {
        var members = new PolicyMembers(value, at, "Statuses", "Advisories", "EvaluationDataNumber", "GraceDays", "DynamicPlatform", "CachedKeys", "Smt", "Trailing");
        ImmutableArray<TcbStatus> statuses = [.. members.Texts("Statuses").Select(name => StatusOf(name, members.At("Statuses")))];
        if (statuses.IsEmpty) throw new PolicyRefusedException(Refusal.PolicyEmpty, members.At("Statuses"), "an empty list accepts nothing and is not written");
        bool anyAdvisory = members.Element("Advisories").ValueKind == JsonValueKind.Object;
        if (anyAdvisory && !new PolicyMembers(members.Element("Advisories"), members.At("Advisories"), "Any").Flag("Any")) throw new PolicyRefusedException(Refusal.PolicyMalformed, members.At("Advisories"), "its only value is true");
        return new TcbPolicy(
            statuses,
            anyAdvisory ? null : members.Texts("Advisories"),
            members.Number("EvaluationDataNumber", uint.MaxValue),
            (int)members.PlainNumber("GraceDays", MaximumGraceDays),
            members.Flag("DynamicPlatform"),
            members.Flag("CachedKeys"),
            members.Flag("Smt"),
            TrailingOf(members));
    }

    private static TcbStatus StatusOf(string name, string at) => TcbStatusText.OfName(name) is { } status and not (TcbStatus.Revoked or TcbStatus.NotSupported or TcbStatus.Unrecognized)
        ? status
        : throw new PolicyRefusedException(Refusal.PolicyMalformed, at, "holds something that is no status, or one that cannot be accepted: Revoked, NotSupported, Unrecognized");

    private static TrailingBytes TrailingOf(PolicyMembers members) => members.Element("Trailing") is { ValueKind: JsonValueKind.String } text && Enum.GetValues<TrailingBytes>().Where(one => $"{one}" == text.GetString()).ToArray() is [var found]
        ? found
        : throw new PolicyRefusedException(Refusal.PolicyMalformed, members.At("Trailing"), "is not None, Zeros or Any");

    private static void Write(Utf8JsonWriter writer, TcbPolicy policy)
    {
        writer.WriteStartObject("Tcb");
        writer.WriteStartArray("Statuses");
        foreach (TcbStatus status in policy.Statuses)
            writer.WriteStringValue(status is TcbStatus.Revoked or TcbStatus.NotSupported or TcbStatus.Unrecognized ? throw new ArgumentException($"{status} has no written form.", nameof(policy)) : TcbStatusText.Name(status));
        writer.WriteEndArray();
        if (policy.Advisories is { } advisories)
        {
            writer.WriteStartArray("Advisories");
            foreach (string advisory in advisories)
                writer.WriteStringValue(advisory);
            writer.WriteEndArray();
        }
        else
        {
            PolicyWriter.WriteAny(writer, "Advisories");
        }
        PolicyWriter.WriteRequirement(writer, "EvaluationDataNumber", policy.EvaluationDataNumber);
        writer.WriteNumber("GraceDays", policy.GraceDays);
        writer.WriteBoolean("DynamicPlatform", policy.AllowDynamicPlatform);
        writer.WriteBoolean("CachedKeys", policy.AllowCachedKeys);
        writer.WriteBoolean("Smt", policy.AllowSmt);
        writer.WriteString("Trailing", $"{policy.Trailing}");
        writer.WriteEndObject();
    }
}

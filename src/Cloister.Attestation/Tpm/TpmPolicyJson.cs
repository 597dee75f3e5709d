using System.Buffers.Text;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.Tpm;

/// <summary>The JSON of policies for TPM quotes (docs/formats/policy.md).</summary>
internal static partial class TpmPolicyJson
{
    private const int MaximumText = 4096, MaximumRoots = 16, MaximumRootText = 16 << 10;

    /// <exception cref="PolicyRefusedException">It is not of its form.</exception>
    public static TpmPolicy Read(JsonElement value, string at)
    {
        if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("Image", out _)) return ReadImage(value, at);
        var members = new PolicyMembers(value, at, "Key", "Bank", "Pcrs", "Boot", "Clock", "FirmwareVersion", "Sha1");
        TpmAlgorithm bank = BankOf(members);
        return new TpmPolicy(
            ReadKey(members.Element("Key"), members.At("Key")), bank, ReadPcrs(members.Element("Pcrs"), members.At("Pcrs"), bank),
            members.IsAny("Boot") ? TpmBootPolicy.Any : ReadBoot(members.Element("Boot"), members.At("Boot"), bank),
            members.IsAny("Clock") ? TpmClockPolicy.Any : ReadClock(members.Element("Clock"), members.At("Clock")),
            members.Number("FirmwareVersion", long.MaxValue))
        {
            AllowSha1 = members.Flag("Sha1"),
        };
    }

    public static void Write(Utf8JsonWriter writer, TpmPolicy policy)
    {
        writer.WriteStartObject("Tpm");
        WriteKey(writer, policy);
        if (policy.Image is { } image && IsImageAlone(policy, image))
            WriteImage(writer, policy, image);
        else
            WriteWhole(writer, policy);
        writer.WriteEndObject();
    }

    private static void WriteKey(Utf8JsonWriter writer, TpmPolicy policy)
    {
        writer.WriteStartObject("Key");
        switch (policy.Key)
        {
            case TpmKeyPolicy.Named named: PolicyWriter.WriteRequirement(writer, "Name", named.Name); break;
            case TpmKeyPolicy.Certified certified:
                writer.WriteStartObject("Certificate");
                PolicyWriter.WriteRequirement(writer, "Subject", certified.Subject);
                PolicyWriter.WriteRequirement(writer, "Project", certified.Project);
                writer.WriteEndObject();
                break;
            case TpmKeyPolicy.Endorsed endorsed: WriteEndorsed(writer, endorsed); break;
            case TpmKeyPolicy.Any: writer.WriteBoolean("Any", true); break;
            default: throw new ArgumentException($"{policy.Key.GetType().Name} has no written form.", nameof(policy));
        }
        writer.WriteEndObject();
    }

    private static void WriteWhole(Utf8JsonWriter writer, TpmPolicy policy)
    {
        writer.WriteString("Bank", TpmHash.NameOf(policy.Bank));
        writer.WriteStartObject("Pcrs");
        foreach ((int pcr, Requirement<string> requirement) in policy.Pcrs)
            PolicyWriter.WriteRequirement(writer, pcr.ToString(CultureInfo.InvariantCulture), requirement);
        writer.WriteEndObject();
        WriteBoot(writer, policy.Boot);
        WriteClock(writer, policy.Clock);
        PolicyWriter.WriteRequirement(writer, "FirmwareVersion", policy.FirmwareVersion);
        writer.WriteBoolean("Sha1", policy.AllowSha1);
    }

    private static void WriteBoot(Utf8JsonWriter writer, TpmBootPolicy boot)
    {
        writer.WriteStartObject("Boot");
        PolicyWriter.WriteRequirement(writer, "SecureBoot", boot.SecureBoot);
        PolicyWriter.WriteRequirement(writer, "Applications", boot.Applications);
        PolicyWriter.WriteRequirement(writer, "CommandLine", boot.CommandLine);
        PolicyWriter.WriteRequirement(writer, "Ima", boot.Ima);
        writer.WriteEndObject();
    }

    private static void WriteClock(Utf8JsonWriter writer, TpmClockPolicy clock)
    {
        writer.WriteStartObject("Clock");
        PolicyWriter.WriteRequirement(writer, "ResetCount", clock.ResetCount);
        PolicyWriter.WriteRequirement(writer, "RestartCount", clock.RestartCount);
        PolicyWriter.WriteRequirement(writer, "Milliseconds", clock.Milliseconds);
        PolicyWriter.WriteRequirement(writer, "Safe", clock.Safe);
        writer.WriteEndObject();
    }

    private static TpmKeyPolicy ReadKey(JsonElement value, string at)
    {
        string? name = value.ValueKind == JsonValueKind.Object && value.EnumerateObject().Take(2).ToArray() is [var only] ? only.Name : null;
        switch (name)
        {
            case "Name":
                return new TpmKeyPolicy.Named(new PolicyMembers(value, at, "Name").Text("Name", IsName, "the lower-case hexadecimal name of a key"));
            case "Certificate":
                var certificate = new PolicyMembers(value.GetProperty("Certificate"), $"{at}.Certificate", "Subject", "Project");
                return new TpmKeyPolicy.Certified(certificate.Text("Subject", MaximumText), certificate.Text("Project", MaximumText));
            case "Endorsed":
                var endorsed = new PolicyMembers(value.GetProperty("Endorsed"), $"{at}.Endorsed", "Roots", "Certificates");
                return new TpmKeyPolicy.Endorsed(ReadRoots(endorsed.Element("Roots"), endorsed.At("Roots")), endorsed.Bytes("Certificates", TpmHash.SizeOf(TpmAlgorithm.Sha256)));
            case "Any":
                return new PolicyMembers(value, at, "Any").Flag("Any") ? new TpmKeyPolicy.Any() : throw new PolicyRefusedException(Refusal.PolicyMalformed, $"{at}.Any", "its only value is true");
            default:
                throw new PolicyRefusedException(Refusal.PolicyMalformed, at, "exactly one of Name, Certificate, Endorsed, Any");
        }
    }

    private static ImmutableArray<ReadOnlyMemory<byte>> ReadRoots(JsonElement list, string at)
    {
        if (list.ValueKind != JsonValueKind.Array) throw new PolicyRefusedException(Refusal.PolicyMalformed, at, "is not an array");
        int count = list.GetArrayLength();
        if (count == 0) throw new PolicyRefusedException(Refusal.PolicyEmpty, at, "name at least one authority of endorsement keys");
        if (count > MaximumRoots) throw new PolicyRefusedException(Refusal.PolicyTooLarge, at, $"more than {MaximumRoots} certificates");
        return [.. list.EnumerateArray().Select((item, i) => (ReadOnlyMemory<byte>)(RootOf(item) ?? throw new PolicyRefusedException(Refusal.PolicyCertificateInvalid, $"{at}[{i}]", "a root is base64 of an authority's certificate in DER")))];
    }

    private static byte[]? RootOf(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String || value.GetString() is not { Length: > 0 and <= MaximumRootText } text || !Base64.IsValid(text)) return null;
        byte[] der = Convert.FromBase64String(text);
        return CertificateParser.Parse(der) is { IsAccepted: true, Value.MaySignCertificates: true } ? der : null;
    }

    private static void WriteEndorsed(Utf8JsonWriter writer, TpmKeyPolicy.Endorsed endorsed)
    {
        writer.WriteStartObject("Endorsed");
        writer.WriteStartArray("Roots");
        foreach (ReadOnlyMemory<byte> root in endorsed.Roots)
            writer.WriteBase64StringValue(root.Span);
        writer.WriteEndArray();
        PolicyWriter.WriteRequirement(writer, "Certificates", endorsed.Certificates);
        writer.WriteEndObject();
    }

    private static ImmutableSortedDictionary<int, Requirement<string>> ReadPcrs(JsonElement value, string at, TpmAlgorithm bank)
    {
        if (value.ValueKind != JsonValueKind.Object) throw new PolicyRefusedException(Refusal.PolicyMalformed, at, "is not an object");
        string[] names = [.. value.EnumerateObject().Select(member => member.Name).Distinct(StringComparer.Ordinal).Take(TpmLayout.PcrCount + 1)];
        if (names.Length == 0) throw new PolicyRefusedException(Refusal.PolicyEmpty, at, "name a PCR that must be quoted, with {\"Any\": true} if its value may be anything");
        var members = new PolicyMembers(value, at, names);
        var pcrs = ImmutableSortedDictionary.CreateBuilder<int, Requirement<string>>();
        foreach (string name in names)
        {
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int pcr) || pcr >= TpmLayout.PcrCount || pcr.ToString(CultureInfo.InvariantCulture) != name)
                throw new PolicyRefusedException(Refusal.PolicyMemberUnknown, members.At(name), $"a PCR is a number from 0 to {TpmLayout.PcrCount - 1}");
            pcrs[pcr] = members.Bytes(name, TpmHash.SizeOf(bank));
        }
        return pcrs.ToImmutable();
    }

    private static TpmBootPolicy ReadBoot(JsonElement value, string at, TpmAlgorithm bank)
    {
        var members = new PolicyMembers(value, at, "SecureBoot", "Applications", "CommandLine", "Ima");
        return new TpmBootPolicy(members.Boolean("SecureBoot"), members.Bytes("Applications", TpmHash.SizeOf(bank)), members.Text("CommandLine", MaximumText),
            members.Word("Ima", "none", "boot-aggregate", "list"));
    }

    private static TpmClockPolicy ReadClock(JsonElement value, string at)
    {
        var members = new PolicyMembers(value, at, "ResetCount", "RestartCount", "Milliseconds", "Safe");
        return new TpmClockPolicy(members.Number("ResetCount", uint.MaxValue), members.Number("RestartCount", uint.MaxValue), members.Number("Milliseconds", long.MaxValue), members.Boolean("Safe"));
    }

    private static TpmAlgorithm BankOf(PolicyMembers members) => members.Element("Bank") is { ValueKind: JsonValueKind.String } text && TpmHash.Named(text.GetString()!) is { } bank
        ? bank
        : throw new PolicyRefusedException(Refusal.PolicyMalformed, members.At("Bank"), "is none of sha1, sha256, sha384, sha512");

    private static bool IsName(string text) => text.Length is 2 * 22 or 2 * 34 or 2 * 50 or 2 * 66 && text.All(char.IsAsciiHexDigitLower);
}

using System.Text.Json;

namespace Cloister.Attestation.SevSnp;

/// <summary>The JSON of policies for SEV-SNP (docs/formats/policy.md).</summary>
internal static class SnpPolicyJson
{
    private const int Sha384 = 48, MaximumText = 256;

    private static readonly string[] Members =
    [
        "Debug", "MigrationAgent", "Smt", "GuestPolicy", "Abi", "Vmpl", "Measurement", "HostData", "ReportedTcb", "CommittedTcb", "LaunchTcb", "ProvisionalFirmware", "Firmware", "GuestSvn",
        "Mitigations", "IdKeyDigest", "AuthorKey", "AuthorKeyDigest", "Product", "SigningKey", "Provider", "ChipId", "RevocationCheck", "FamilyId", "ImageId", "PlatformInfo",
    ];

    /// <exception cref="PolicyRefusedException">It is not of its form.</exception>
    public static SnpPolicy Read(JsonElement value, string at)
    {
        var members = new PolicyMembers(value, at, Members);
        return new SnpPolicy
        {
            AllowDebug = members.Flag("Debug"),
            AllowMigrationAgent = members.Flag("MigrationAgent"),
            AllowSmt = members.Flag("Smt"),
            GuestPolicy = members.Bits("GuestPolicy"),
            Abi = members.Version("Abi", 2),
            Vmpl = members.Number("Vmpl", uint.MaxValue),
            // What the report data must be follows from role, nonce and key: the verifier knows, a document cannot.
            ReportData = Requirement.Any<string>(),
            Measurement = members.Bytes("Measurement", Sha384),
            HostData = members.Bytes("HostData", 32),
            ReportedTcb = Tcb(members, "ReportedTcb"),
            CommittedTcb = Tcb(members, "CommittedTcb"),
            LaunchTcb = Tcb(members, "LaunchTcb"),
            AllowProvisionalFirmware = members.Flag("ProvisionalFirmware"),
            Firmware = members.Version("Firmware", 3),
            GuestSvn = members.Number("GuestSvn", uint.MaxValue),
            Mitigations = members.Bits("Mitigations"),
            IdKeyDigest = members.Bytes("IdKeyDigest", Sha384),
            RequireAuthorKey = members.Flag("AuthorKey"),
            AuthorKeyDigest = members.Bytes("AuthorKeyDigest", Sha384),
            Product = members.Word("Product", "Milan", "Genoa", "Turin"),
            SigningKey = members.Word("SigningKey", "VCEK", "VLEK"),
            Provider = members.Text("Provider", MaximumText),
            ChipId = members.Bytes("ChipId", 64),
            RequireRevocationCheck = members.Flag("RevocationCheck"),
            FamilyId = members.Bytes("FamilyId", 16),
            ImageId = members.Bytes("ImageId", 16),
            PlatformInfo = members.Bits("PlatformInfo"),
        };
    }

    /// <exception cref="ArgumentException">The policy asks for something that has no written form.</exception>
    public static void Write(Utf8JsonWriter writer, SnpPolicy policy)
    {
        if (policy.ReportData is not Requirement<string>.Any) throw new ArgumentException("Report data have no written form: they follow from role, nonce and key.", nameof(policy));
        writer.WriteStartObject("SevSnp");
        writer.WriteBoolean("Debug", policy.AllowDebug);
        writer.WriteBoolean("MigrationAgent", policy.AllowMigrationAgent);
        writer.WriteBoolean("Smt", policy.AllowSmt);
        PolicyWriter.WriteRequirement(writer, "GuestPolicy", policy.GuestPolicy);
        PolicyWriter.WriteRequirement(writer, "Abi", policy.Abi);
        PolicyWriter.WriteRequirement(writer, "Vmpl", policy.Vmpl);
        PolicyWriter.WriteRequirement(writer, "Measurement", policy.Measurement);
        PolicyWriter.WriteRequirement(writer, "HostData", policy.HostData);
        Write(writer, "ReportedTcb", policy.ReportedTcb);
        Write(writer, "CommittedTcb", policy.CommittedTcb);
        Write(writer, "LaunchTcb", policy.LaunchTcb);
        writer.WriteBoolean("ProvisionalFirmware", policy.AllowProvisionalFirmware);
        PolicyWriter.WriteRequirement(writer, "Firmware", policy.Firmware);
        PolicyWriter.WriteRequirement(writer, "GuestSvn", policy.GuestSvn);
        PolicyWriter.WriteRequirement(writer, "Mitigations", policy.Mitigations);
        PolicyWriter.WriteRequirement(writer, "IdKeyDigest", policy.IdKeyDigest);
        writer.WriteBoolean("AuthorKey", policy.RequireAuthorKey);
        PolicyWriter.WriteRequirement(writer, "AuthorKeyDigest", policy.AuthorKeyDigest);
        PolicyWriter.WriteRequirement(writer, "Product", policy.Product);
        PolicyWriter.WriteRequirement(writer, "SigningKey", policy.SigningKey);
        PolicyWriter.WriteRequirement(writer, "Provider", policy.Provider);
        PolicyWriter.WriteRequirement(writer, "ChipId", policy.ChipId);
        writer.WriteBoolean("RevocationCheck", policy.RequireRevocationCheck);
        PolicyWriter.WriteRequirement(writer, "FamilyId", policy.FamilyId);
        PolicyWriter.WriteRequirement(writer, "ImageId", policy.ImageId);
        PolicyWriter.WriteRequirement(writer, "PlatformInfo", policy.PlatformInfo);
        writer.WriteEndObject();
    }

    private static SnpTcbMinimum Tcb(PolicyMembers members, string name)
    {
        if (members.IsAny(name)) return SnpTcbMinimum.Any;
        var outer = new PolicyMembers(members.Element(name), members.At(name), "AtLeast");
        var parts = new PolicyMembers(outer.Element("AtLeast"), outer.At("AtLeast"), "Fmc", "Bootloader", "Tee", "Snp", "Microcode");
        byte Part(string part) => (byte)parts.PlainNumber(part, byte.MaxValue);
        return SnpTcbMinimum.AtLeast(new SnpTcb(Part("Fmc"), Part("Bootloader"), Part("Tee"), Part("Snp"), Part("Microcode")));
    }

    private static void Write(Utf8JsonWriter writer, string name, SnpTcbMinimum minimum)
    {
        if (minimum.Minimum is not { } least)
        {
            PolicyWriter.WriteAny(writer, name);
            return;
        }
        writer.WriteStartObject(name);
        writer.WriteStartObject("AtLeast");
        writer.WriteNumber("Fmc", least.Fmc);
        writer.WriteNumber("Bootloader", least.Bootloader);
        writer.WriteNumber("Tee", least.Tee);
        writer.WriteNumber("Snp", least.Snp);
        writer.WriteNumber("Microcode", least.Microcode);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}

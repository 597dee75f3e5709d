using System.Text.Json;
using Cloister.Attestation.Measurements;

namespace Cloister.Attestation.Tpm;

/// <summary>
/// The short form: an image's measurements in the place of PCRs. Of the other members those that PCRs do not settle may be added; left out,
/// they ask for nothing, and a debug image is refused.
/// </summary>
internal static partial class TpmPolicyJson
{
    private static TpmPolicy ReadImage(JsonElement value, string at)
    {
        var members = new PolicyMembers(value, at, ["Key", "Image", "Path"], ["Debug", "Boot", "Clock", "FirmwareVersion"]);
        TpmKeyPolicy key = ReadKey(members.Element("Key"), members.At("Key"));
        var image = new TpmImage(ImageMeasurementsJson.Read(members.Element("Image"), members.At("Image")), PathOf(members), members.Has("Debug") && members.Flag("Debug"));
        if (image.Problem is { } problem) throw new PolicyRefusedException(problem.Refusal, members.At(problem.Field), problem.Reason);
        TpmPolicy policy = TpmPolicy.Of(image, key);
        return policy with
        {
            Boot = members.Has("Boot") && !members.IsAny("Boot") ? ReadBoot(members.Element("Boot"), members.At("Boot"), policy.Bank) : policy.Boot,
            Clock = members.Has("Clock") && !members.IsAny("Clock") ? ReadClock(members.Element("Clock"), members.At("Clock")) : policy.Clock,
            FirmwareVersion = members.Has("FirmwareVersion") ? members.Number("FirmwareVersion", long.MaxValue) : policy.FirmwareVersion,
        };
    }

    // Whoever changed a policy's PCRs gets them written, not the image that they no longer are.
    private static bool IsImageAlone(TpmPolicy policy, TpmImage image) =>
        policy.Bank == TpmAlgorithm.Sha256 && !policy.AllowSha1 && image.Problem is null && policy.Pcrs.SequenceEqual(image.Pcrs);

    private static void WriteImage(Utf8JsonWriter writer, TpmPolicy policy, TpmImage image)
    {
        writer.WritePropertyName("Image");
        ImageMeasurementsJson.Write(writer, image.Measurements);
        writer.WriteString("Path", image.Path.ToString());
        writer.WriteBoolean("Debug", image.AllowDebug);
        if (policy.Boot != TpmBootPolicy.Any) WriteBoot(writer, policy.Boot);
        if (policy.Clock != TpmClockPolicy.Any) WriteClock(writer, policy.Clock);
        if (policy.FirmwareVersion is not Requirement<long>.Any) PolicyWriter.WriteRequirement(writer, "FirmwareVersion", policy.FirmwareVersion);
    }

    private static BootPath PathOf(PolicyMembers members) =>
        members.Element("Path") is { ValueKind: JsonValueKind.String } text && Enum.GetNames<BootPath>().Contains(text.GetString(), StringComparer.Ordinal)
            ? Enum.Parse<BootPath>(text.GetString()!)
            : throw new PolicyRefusedException(Refusal.PolicyMalformed, members.At("Path"), $"is none of {string.Join(", ", Enum.GetNames<BootPath>())}");
}

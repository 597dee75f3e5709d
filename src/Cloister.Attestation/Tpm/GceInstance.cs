using System.Globalization;
using System.Numerics;
using System.Text;
using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.Tpm;

/// <summary>The virtual machine that a Google attestation key certificate names (extension 1.3.6.1.4.1.11129.2.1.21).</summary>
/// <param name="Zone">Its zone.</param>
/// <param name="ProjectNumber">Its project's number.</param>
/// <param name="ProjectId">Its project.</param>
/// <param name="InstanceId">Its number, which no other machine ever has.</param>
/// <param name="InstanceName">Its name.</param>
public sealed record GceInstance(string Zone, string ProjectNumber, string ProjectId, string InstanceId, string InstanceName)
{
    private const int MaximumText = 256;

    private static ReadOnlySpan<byte> Oid => [0x2B, 0x06, 0x01, 0x04, 0x01, 0xD6, 0x79, 0x02, 0x01, 0x15];

    /// <summary>Reads it from a certificate; null if the certificate has none or one out of form.</summary>
    public static GceInstance? Read(Certificate certificate)
    {
        if (!certificate.TryGetExtension(Oid, out ReadOnlyMemory<byte> value)) return null;
        var reader = new DerReader(value);
        return reader.TryReadInto(DerReader.Sequence, out DerReader fields) && reader.IsEmpty
            && TryText(ref fields, out string zone) && TryNumber(ref fields, out string projectNumber) && TryText(ref fields, out string projectId)
            && TryNumber(ref fields, out string instanceId) && TryText(ref fields, out string instanceName)
            ? new GceInstance(zone, projectNumber, projectId, instanceId, instanceName)
            : null;
    }

    private static bool TryText(ref DerReader fields, out string text)
    {
        text = "";
        if (!fields.TryRead(DerReader.Utf8String, out ReadOnlyMemory<byte> content) || content.Length > MaximumText || !System.Text.Unicode.Utf8.IsValid(content.Span)) return false;
        text = Encoding.UTF8.GetString(content.Span);
        return true;
    }

    private static bool TryNumber(ref DerReader fields, out string text)
    {
        text = "";
        if (!fields.TryReadInteger(out ReadOnlyMemory<byte> content) || content.Length > 9) return false;
        text = new BigInteger(content.Span, isUnsigned: false, isBigEndian: true).ToString(CultureInfo.InvariantCulture);
        return true;
    }
}

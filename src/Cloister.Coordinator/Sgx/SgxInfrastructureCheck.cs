using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Sgx;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Sgx;

/// <summary>
/// Judges a proven quote by the manifest's platforms: if any are named, it must come from one of them. What an entry names must be equal;
/// what it leaves out is not asked for. (MarbleRun reads them and, in production, does not look at them.)
/// </summary>
internal static class SgxInfrastructureCheck
{
    /// <summary>Why the quote comes from none of the platforms; null if it does.</summary>
    public static string? Refuse(ImmutableSortedDictionary<string, ManifestInfrastructure> infrastructures, ProvenQuote quote)
    {
        if (infrastructures.IsEmpty)
            return null;
        var reasons = new List<string>();
        foreach ((string name, ManifestInfrastructure wanted) in infrastructures)
        {
            if (Differs(wanted, quote) is not { } reason)
                return null;
            reasons.Add($"{name}: {reason}");
        }
        return $"invalid infrastructure ({string.Join("; ", reasons)})";
    }

    private static string? Differs(ManifestInfrastructure wanted, ProvenQuote quote)
    {
        string cpuSvn = quote.Claims.Fields.GetValueOrDefault(SgxFields.CpuSvn, ""), pceSvn = quote.Claims.Fields.GetValueOrDefault(DcapFields.PceSvn, "");
        ushort qeSvn = new EnclaveReport(quote.Quote.QeReport).Svn;
        if (!wanted.CpuSvn.IsEmpty && Convert.ToHexStringLower(wanted.CpuSvn.Span) != cpuSvn)
            return $"CPUSVN is {cpuSvn}";
        if (wanted.QeSvn is { } qe && qe != qeSvn)
            return $"QESVN is {qeSvn}, not {qe}";
        if (wanted.PceSvn is { } pce && pce.ToString(CultureInfo.InvariantCulture) != pceSvn)
            return $"PCESVN is {pceSvn}, not {pce}";
        return wanted.RootCa.IsEmpty || IsRoot(wanted.RootCa, quote.Quote) ? null : "RootCA is another than the quote's chain ends in";
    }

    // The quote was proven up to the anchor, and a self-issued certificate in its chain is the anchor itself.
    private static bool IsRoot(ReadOnlyMemory<byte> wanted, DcapQuote quote)
    {
        Outcome<ImmutableArray<Certificate>> chain = CertificateParser.ParsePem(quote.CertificationData.Span);
        return chain.IsAccepted && Der(wanted) is { } der && chain.Value.Any(one => one.IsSelfIssued && one.Encoded.Span.SequenceEqual(der.Span));
    }

    private static ReadOnlyMemory<byte>? Der(ReadOnlyMemory<byte> certificate)
    {
        if (!certificate.Span.StartsWith("-----BEGIN"u8))
            return certificate;
        string pem = Encoding.UTF8.GetString(certificate.Span);
        if (!PemEncoding.TryFind(pem, out PemFields fields))
            return null;
        byte[] der = new byte[fields.DecodedDataLength];
        return Convert.TryFromBase64String(pem[fields.Base64Data], der, out int length) ? der.AsMemory(0, length) : null;
    }
}

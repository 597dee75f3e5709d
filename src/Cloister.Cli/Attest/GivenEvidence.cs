using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Tpm;
using Cloister.Cli.Attest.Cases;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Attest;

/// <summary>Bare evidence as it lies in files, with what helps to verify it.</summary>
/// <param name="Evidence">The evidence.</param>
/// <param name="ReportData">What must have been signed freshly; null if nobody said, so that the evidence may be old.</param>
/// <param name="Endorsements">Certificates, revocation lists, collateral.</param>
/// <param name="Anchors">Roots that replace the pinned ones.</param>
internal sealed record GivenEvidence(Evidence Evidence, ReadOnlyMemory<byte>? ReportData, Endorsements Endorsements, Anchors Anchors)
{
    private const int ReportDataSize = 64, SizePrefix = 2;
    private const byte DerSequence = 0x30;
    private static readonly string[] SnpAuthorities = ["ask", "asvk"];

    public TeeKind Kind => Evidence.Kind;

    /// <summary>Puts evidence together from files by role.</summary>
    /// <param name="file">The bytes of a role's file (<c>report</c>, <c>vek</c>, <c>quote</c>, ...); null where none is given.</param>
    /// <param name="freshness">The nonce or report data that must have been signed; null if none is given.</param>
    public static GivenEvidence From(Func<string, byte[]?> file, byte[]? freshness)
    {
        if (file("report") is { } report) return Snp(report, file, freshness);
        if (file("quote") is not { } quote) throw new CommandException(ExitCode.Usage, "What is to be verified? Name evidence: --report (SEV-SNP), --quote (TDX, SGX; with --signature a TPM's), --bundle or --cases.");
        if (file("signature") is { } signature) return Tpm(quote, signature, file, freshness);
        TeeKind kind = QuoteLayout.Parse(quote) is { IsAccepted: true, Value.BodyKind: QuoteBodyKind.Enclave } ? TeeKind.Sgx : TeeKind.Tdx;
        return new GivenEvidence(
            new Evidence(kind, quote, file("eventlog") ?? file("ccel") ?? [], default, []),
            Padded(freshness),
            Endorsed((DcapCollateral.EndorsementKind, file("collateral"))),
            Anchored(kind, "intel-sgx-root", file("root")));
    }

    private static GivenEvidence Snp(byte[] report, Func<string, byte[]?> file, byte[]? freshness) => new(
        new Evidence(TeeKind.SevSnp, SnpLayout.Unwrap(report), default, default, []),
        Padded(freshness),
        Endorsed([(SnpEndorsements.SigningKey, file("vek")), .. SnpAuthorities.Select(name => (SnpEndorsements.Authorities, file(name))), (SnpEndorsements.RevocationList, file("crl"))]),
        Anchored(TeeKind.SevSnp, "ark", file("ark")));

    private static GivenEvidence Tpm(byte[] quote, byte[] signature, Func<string, byte[]?> file, byte[]? freshness)
    {
        byte[] key = file("ak_public") ?? file("ak_public_spki") ?? throw new CommandException(ExitCode.Usage, "A TPM's quote needs --ak, the attestation key that signed it.");
        byte[] pcrs = file("pcrs") ?? throw new CommandException(ExitCode.Usage, "A TPM's quote needs --pcrs, the quoted values: {\"sha256\": {\"0\": \"...\"}}.");
        (TpmKeyForm form, byte[] area) = KeyOf(key);
        try
        {
            byte[] encoded = new TpmReport(quote, signature, form, area, TpmCase.PcrsOf(pcrs)).Encode();
            return new GivenEvidence(
                new Evidence(TeeKind.Tpm, encoded, file("eventlog") ?? [], default, []),
                freshness is null ? default(ReadOnlyMemory<byte>?) : new ReadOnlyMemory<byte>(freshness),
                Endorsed((TpmVerifier.KeyCertificate, file("ak_certificate")), (TpmVerifier.Intermediate, file("intermediate")), (TpmVerifier.ImaList, file("ima"))),
                Anchored(TeeKind.Tpm, "root", file("root")));
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or JsonException or InvalidOperationException or OverflowException)
        {
            throw new CommandException(ExitCode.BadInput, $"Quote, signature, key and PCR values cannot be put together: {exception.Message}", exception);
        }
    }

    /// <summary>A key as tools write it: TPM2B_PUBLIC, TPMT_PUBLIC, or a SubjectPublicKeyInfo in DER or PEM.</summary>
    private static (TpmKeyForm Form, byte[] Key) KeyOf(byte[] key)
    {
        if (key.AsSpan().StartsWith("-----BEGIN"u8))
        {
            string text = Encoding.ASCII.GetString(key);
            return System.Security.Cryptography.PemEncoding.TryFind(text, out System.Security.Cryptography.PemFields pem)
                ? (TpmKeyForm.SubjectPublicKeyInfo, Convert.FromBase64String(text[pem.Base64Data]))
                : throw new CommandException(ExitCode.BadInput, "The attestation key (--ak) is no PEM.");
        }
        if (key.Length > 0 && key[0] == DerSequence) return (TpmKeyForm.SubjectPublicKeyInfo, key);
        bool sized = key.Length > SizePrefix && (key[0] << 8 | key[1]) == key.Length - SizePrefix;
        return (TpmKeyForm.TpmPublic, sized ? key[SizePrefix..] : key);
    }

    /// <summary>A nonce that is shorter than report data stands at their start, as guests' tools write it.</summary>
    private static ReadOnlyMemory<byte>? Padded(byte[]? freshness)
    {
        if (freshness is null) return null;
        if (freshness.Length > ReportDataSize) throw new CommandException(ExitCode.Usage, $"Report data have {ReportDataSize} bytes, not {freshness.Length}.");
        var padded = new byte[ReportDataSize];
        freshness.CopyTo(padded, 0);
        return padded;
    }

    private static Endorsements Endorsed(params ReadOnlySpan<(string Kind, byte[]? Bytes)> given)
    {
        var items = ImmutableArray.CreateBuilder<Endorsement>();
        foreach ((string kind, byte[]? bytes) in given)
            if (bytes is not null) items.Add(new Endorsement(kind, bytes));
        return new Endorsements(items.ToImmutable());
    }

    private static Anchors Anchored(TeeKind kind, string name, byte[]? root)
    {
        if (root is null) return Anchors.Pinned;
        Outcome<Certificate> certificate = CertificateParser.ParseAny(root);
        return certificate.IsAccepted
            ? new Anchors([new Anchor(kind, name, root)])
            : throw new CommandException(ExitCode.BadInput, $"The root ({(kind == TeeKind.SevSnp ? "--ark" : "--root")}) is no certificate: {certificate.Field}: {certificate.Reason}");
    }
}

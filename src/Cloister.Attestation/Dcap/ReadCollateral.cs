using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.Dcap;

/// <summary>
/// Collateral, parsed once, with the outcome of every check of it that needs neither time nor a quote. Which of them counts when
/// is the verifier's to say: a finding is kept until its turn comes.
/// </summary>
internal sealed class ReadCollateral
{
    private const string SignerName = "Intel SGX TCB Signing";
    private static readonly ImmutableArray<Certificate> Nobody = [];

    private ReadCollateral(DcapCollateral source) => Source = source;

    public DcapCollateral Source { get; }

    /// <summary>What is wrong with the signers' chains, or null.</summary>
    public Finding? Chain { get; private set; }

    /// <summary>Signers of TCB info and identity, then the root.</summary>
    public ImmutableArray<Certificate> Signers { get; private set; } = Nobody;

    /// <summary>The authority that the collateral says made the PCK revocation list; null if it does not say.</summary>
    public Certificate? PckCrlIssuer { get; private set; }

    /// <summary>What is wrong with the root's revocation list, or null; the PCK list's issuer is known with the quote only.</summary>
    public Finding? RootCrlFinding { get; private set; }

    public Outcome<RevocationList> RootCrl { get; private set; }

    public Outcome<RevocationList> PckCrl { get; private set; }

    public Outcome<TcbInfo> TcbInfo { get; private set; }

    public bool TcbInfoSigned { get; private set; }

    public Outcome<QeIdentity> QeIdentity { get; private set; }

    public bool QeIdentitySigned { get; private set; }

    /// <summary>Whether nothing is wrong.</summary>
    public bool Holds => Chain is null && RootCrlFinding is null && PckCrl.IsAccepted && TcbInfo.IsAccepted && TcbInfoSigned && QeIdentity.IsAccepted && QeIdentitySigned;

    public static ReadCollateral Of(DcapCollateral source, Certificate root, SignatureChecker signatures)
    {
        var read = new ReadCollateral(source);
        Certificate? tcbSigner = null, qeSigner = null, crlIssuer = null;
        read.Chain = Signer(source.TcbInfoIssuerChain, "tcbInfoIssuerChain", SignerName, root, signatures, out tcbSigner)
            ?? (source.QeIdentityIssuerChain.Span.SequenceEqual(source.TcbInfoIssuerChain.Span)
                ? Same(tcbSigner, out qeSigner)
                : Signer(source.QeIdentityIssuerChain, "qeIdentityIssuerChain", SignerName, root, signatures, out qeSigner))
            ?? (source.PckCrlIssuerChain.IsEmpty ? null : Signer(source.PckCrlIssuerChain, "pckCrlIssuerChain", null, root, signatures, out crlIssuer));
        read.PckCrlIssuer = crlIssuer;
        if (read.Chain is null) read.Signers = ReferenceEquals(tcbSigner, qeSigner) ? [tcbSigner!, root] : [tcbSigner!, qeSigner!, root];

        read.RootCrl = CrlParser.Parse(source.RootCrl);
        read.PckCrl = CrlParser.Parse(source.PckCrl);
        read.RootCrlFinding = read.RootCrl.TryGetValue(out RevocationList? rootCrl)
            ? RevocationCheck.Issuer(rootCrl, root, signatures)
            : new Finding(read.RootCrl.Refusal, read.RootCrl.Field, read.RootCrl.Reason);

        // Parsed before the signature is known, so that a wrong document can be told from a forged one; nothing is decided by it until the signature held.
        read.TcbInfo = Dcap.TcbInfoReader.Parse(source.TcbInfo);
        read.TcbInfoSigned = tcbSigner is not null && read.TcbInfo.IsAccepted && Signed(tcbSigner, source.TcbInfo, source.TcbInfoSignature, signatures);
        read.QeIdentity = Dcap.QeIdentity.Parse(source.QeIdentity);
        read.QeIdentitySigned = qeSigner is not null && read.QeIdentity.IsAccepted && Signed(qeSigner, source.QeIdentity, source.QeIdentitySignature, signatures);
        return read;
    }

    private static bool Signed(Certificate signer, ReadOnlyMemory<byte> text, ReadOnlyMemory<byte> signature, SignatureChecker signatures) =>
        signatures.Verify(signer, SignatureAlgorithm.EcdsaSha256, text.Span, signature.Span, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    private static Finding? Same(Certificate? signer, out Certificate? same)
    {
        same = signer;
        return null;
    }

    private static Finding? Signer(ReadOnlyMemory<byte> pem, string field, string? name, Certificate root, SignatureChecker signatures, out Certificate? signer)
    {
        signer = null;
        Outcome<ImmutableArray<Certificate>> parsed = CertificateParser.ParsePem(pem.Span);
        if (!parsed.IsAccepted) return new Finding(parsed.Refusal, field, parsed.Reason);
        foreach (Certificate one in parsed.Value)
        {
            if (one.Encoded.Span.SequenceEqual(root.Encoded.Span)) continue;
            if (signer is not null) return new Finding(Refusal.TcbSignerInvalid, field, "has another certificate beside the signer's and the anchor");
            signer = one;
        }
        if (signer is null) return new Finding(Refusal.TcbSignerInvalid, field, "has no signer's certificate");
        if (CertificateChainCheck.Links([signer, root], signatures) is { } broken) return broken;
        if (name is not null && (signer.SubjectCommonName != name || signer.IsAuthority || signer.KeyKind != PublicKeyKind.P256))
            return new Finding(Refusal.TcbSignerInvalid, field, $"{CertificateChainCheck.Name(signer)} may not sign TCB info and identities");
        return null;
    }
}

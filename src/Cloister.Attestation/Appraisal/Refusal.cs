namespace Cloister.Attestation;

/// <summary>
/// Why something was refused. Numbers are written out, stable, append-only and grouped by what failed
/// (docs/formats/attestation-result.md says for each what to do about it).
/// </summary>
public enum Refusal
{
    /// <summary>Not refused.</summary>
    None = 0,

    /// <summary>There is no outcome at all: a default value was used.</summary>
    NoOutcome = 1,

    // 1000: the form of evidence and reports

    /// <summary>The encoded evidence is larger than the format allows.</summary>
    EvidenceTooLarge = 1000,
    /// <summary>The bytes do not start as evidence does.</summary>
    EvidenceMagic = 1001,
    /// <summary>The evidence's format version is not one that is read.</summary>
    EvidenceVersion = 1002,
    /// <summary>The bytes end inside a field.</summary>
    EvidenceTruncated = 1003,
    /// <summary>Bytes follow the end.</summary>
    EvidenceTrailingBytes = 1004,
    /// <summary>A field's length is over its limit.</summary>
    EvidenceFieldTooLarge = 1005,
    /// <summary>A number of parts is outside its range.</summary>
    EvidenceCount = 1006,
    /// <summary>The kind of TEE has no meaning in this version.</summary>
    EvidenceKindUnknown = 1007,
    /// <summary>A text is not of the form that its field asks for.</summary>
    EvidenceTextInvalid = 1008,
    /// <summary>The stated role's label is not one of this version.</summary>
    EvidenceRoleUnknown = 1009,
    /// <summary>The stated nonce has a length that no nonce has.</summary>
    EvidenceNonceLength = 1010,
    /// <summary>The stated key has a length that no key has.</summary>
    EvidenceKeyLength = 1011,
    /// <summary>The report does not start as its kind's does.</summary>
    ReportMagic = 1020,
    /// <summary>The report's version is not one that is read.</summary>
    ReportVersion = 1021,
    /// <summary>The report ends inside a field.</summary>
    ReportTruncated = 1022,
    /// <summary>Bytes follow the report's end.</summary>
    ReportTrailingBytes = 1023,
    /// <summary>A field of the report is outside its range.</summary>
    ReportField = 1024,
    /// <summary>An event log where the kind has none.</summary>
    EventLogUnexpected = 1030,
    /// <summary>An endorsement where the kind has none.</summary>
    EndorsementUnexpected = 1031,

    // 1100: what the evidence is bound to

    /// <summary>Made in another role.</summary>
    RoleMismatch = 1100,
    /// <summary>Made for another nonce: old or replayed evidence.</summary>
    NonceMismatch = 1101,
    /// <summary>Made for another key than the peer's: somebody stands between, or evidence was replayed.</summary>
    KeyMismatch = 1102,
    /// <summary>The signed field covers other runtime data, other accompanying evidence or another statement than those given.</summary>
    ReportDataMismatch = 1103,
    /// <summary>A device's evidence stands where the primary attester's belongs.</summary>
    PrimaryNotAttester = 1104,

    // 1200: signatures and chains

    /// <summary>The signature is not the stated signer's over these bytes.</summary>
    SignatureInvalid = 1200,
    /// <summary>The signer's key cannot be read or is not of the kind its format asks for.</summary>
    SignerKeyInvalid = 1201,
    /// <summary>A certificate chain does not reach an anchor.</summary>
    ChainUntrusted = 1202,

    // 1300: collateral and time

    /// <summary>A certificate, list or reference that verification needs is missing.</summary>
    CollateralMissing = 1300,
    /// <summary>A certificate or list is past its end.</summary>
    Expired = 1301,
    /// <summary>A certificate or list is not valid yet.</summary>
    NotYetValid = 1302,
    /// <summary>A certificate was revoked.</summary>
    Revoked = 1303,

    // 1400: measurements and policies

    /// <summary>The measurement is not one that the policy accepts.</summary>
    MeasurementNotAccepted = 1400,
    /// <summary>Signed by a simulator's host key that the policy does not name.</summary>
    HostKeyNotAccepted = 1401,
    /// <summary>The policy asks for a comparison that its field does not have.</summary>
    RequirementNotApplicable = 1402,
    /// <summary>No alternative of the policy accepts the evidence.</summary>
    NoAlternativeAccepted = 1403,
    /// <summary>The policy asks for evidence of a kind that is not there.</summary>
    EvidenceMissing = 1404,

    // 1500: kinds of TEE

    /// <summary>No verifier for this kind of TEE exists here.</summary>
    TeeNotSupported = 1500,
    /// <summary>The policy does not name this kind of TEE.</summary>
    TeeNotNamed = 1501,
    /// <summary>Simulated evidence, and the policy does not name Simulation.</summary>
    SimulationNotNamed = 1502,
    /// <summary>Evidence that no accepted part of the policy uses.</summary>
    EvidenceNotUsed = 1503,

    // 1600: policy documents

    /// <summary>The policy is not of the form it must have.</summary>
    PolicyMalformed = 1600,
    /// <summary>The policy has a member that nobody knows.</summary>
    PolicyMemberUnknown = 1601,
    /// <summary>The policy lacks a member it must have.</summary>
    PolicyMemberMissing = 1602,
    /// <summary>The policy names a member twice.</summary>
    PolicyMemberDuplicate = 1603,
    /// <summary>The policy is nested deeper or longer than is read.</summary>
    PolicyTooLarge = 1604,
    /// <summary>A digest in the policy is not lower-case hexadecimal of the right length.</summary>
    PolicyDigestInvalid = 1605,
    /// <summary>A key in the policy is not base64 of a SubjectPublicKeyInfo.</summary>
    PolicyKeyInvalid = 1606,
    /// <summary>A list in the policy is empty.</summary>
    PolicyEmpty = 1607,
    /// <summary>The policy names a debug image and does not say that it accepts one.</summary>
    PolicyImageDebug = 1608,
    /// <summary>Parts of one policy name different roots for endorsement keys.</summary>
    PolicyRootsDiffer = 1609,
    /// <summary>A certificate in the policy is not base64 of a DER certificate.</summary>
    PolicyCertificateInvalid = 1610,

    // 1700: what attested parties say about their deployment

    /// <summary>The statement in the runtime data cannot be read.</summary>
    StatementMalformed = 1700,
    /// <summary>The statement names another role.</summary>
    StatementRoleMismatch = 1701,
    /// <summary>A certificate cannot be read, or its chain does not hold.</summary>
    CertificateChainInvalid = 1702,
    /// <summary>The root certificate's key is not the attested one.</summary>
    RootKeyMismatch = 1703,
    /// <summary>The intermediate certificate is not the one that was stated.</summary>
    IntermediateMismatch = 1704,
    /// <summary>The marble root certificate is not the one that was stated.</summary>
    MarbleRootMismatch = 1705,
    /// <summary>The manifest in force is not the expected one.</summary>
    ManifestFingerprintMismatch = 1706,
    /// <summary>None of the accepted owners signed the manifest.</summary>
    OwnerSignatureMissing = 1707,
    /// <summary>An owner's signature does not hold.</summary>
    OwnerSignatureInvalid = 1708,
    /// <summary>The workload is of another type than the expected one.</summary>
    WorkloadTypeMismatch = 1709,
    /// <summary>The manifest has no such workload type or package.</summary>
    WorkloadTypeUnknown = 1710,
    /// <summary>The workload's statement and its certificate disagree.</summary>
    StatementMismatch = 1711,
    /// <summary>The root certificate is not the one that was stated.</summary>
    RootMismatch = 1712,
    /// <summary>The key of the TLS connection is not the one that the certificates give its port.</summary>
    TlsKeyMismatch = 1713,
    /// <summary>No manifest is in force yet where one is expected, or one is where none is expected.</summary>
    ManifestPresence = 1714,
    /// <summary>The manifest's package cannot be appraised here: it names no policy that this program knows.</summary>
    PackagePolicyMissing = 1715,
    /// <summary>A certificate may not be used for this: its key, algorithm or usage is not allowed.</summary>
    CertificateNotAllowed = 1716,
    /// <summary>The workload states another mode for a model than the manifest, or none.</summary>
    WorkloadModeMismatch = 1717,

    // 2000: AMD SEV-SNP

    /// <summary>The report names another signature algorithm than ECDSA P-384 with SHA-384.</summary>
    SnpAlgorithm = 2000,
    /// <summary>A reserved bit or byte is not zero.</summary>
    SnpReservedNotZero = 2001,
    /// <summary>Neither report nor certificate names a product line that is known.</summary>
    SnpProductUnknown = 2002,
    /// <summary>Report and certificate, or two parts of the certificate, name different product lines.</summary>
    SnpProductMismatch = 2003,
    /// <summary>The report says that no key signed it.</summary>
    SnpNotSigned = 2004,
    /// <summary>The report is signed by another kind of key than the certificate is of.</summary>
    SnpSigningKeyMismatch = 2005,
    /// <summary>The certificate is of another chip.</summary>
    SnpChipMismatch = 2006,
    /// <summary>The certificate is for another TCB than the reported one.</summary>
    SnpTcbMismatch = 2007,
    /// <summary>The guest's policy lets the host debug it, or does not as it must.</summary>
    SnpDebugNotAccepted = 2020,
    /// <summary>The guest's policy lets a migration agent in, or does not as it must.</summary>
    SnpMigrationNotAccepted = 2021,
    /// <summary>The guest's policy about simultaneous multithreading is not accepted.</summary>
    SnpSmtNotAccepted = 2022,
    /// <summary>Another part of the guest's policy is not accepted.</summary>
    SnpGuestPolicyNotAccepted = 2023,
    /// <summary>The report was asked for at a privilege level that is not accepted.</summary>
    SnpVmplNotAccepted = 2024,
    /// <summary>The host's data are not accepted.</summary>
    SnpHostDataNotAccepted = 2025,
    /// <summary>A TCB is below the minimum in some component.</summary>
    SnpTcbBelowMinimum = 2026,
    /// <summary>The firmware is not committed: the host may roll it back.</summary>
    SnpFirmwareProvisional = 2027,
    /// <summary>The image's security version is not accepted.</summary>
    SnpGuestSvnNotAccepted = 2028,
    /// <summary>A mitigation that must be in force is not.</summary>
    SnpMitigationMissing = 2029,
    /// <summary>The identity block's key is not accepted.</summary>
    SnpIdKeyNotAccepted = 2030,
    /// <summary>The author's key is not there or not accepted.</summary>
    SnpAuthorKeyNotAccepted = 2031,
    /// <summary>Product, kind of signing key, provider or chip is not accepted.</summary>
    SnpPlatformNotAccepted = 2032,
    /// <summary>The family or image id is not accepted.</summary>
    SnpImageIdNotAccepted = 2033,
    /// <summary>The firmware's version is not accepted.</summary>
    SnpFirmwareNotAccepted = 2034,
    /// <summary>What the platform has switched on or off is not accepted.</summary>
    SnpPlatformInfoNotAccepted = 2035,
    /// <summary>Nobody looked at a revocation list, and the policy wants it.</summary>
    SnpRevocationNotChecked = 2036,

    // 2100: TPM quotes

    /// <summary>What the TPM signed is not of its form.</summary>
    TpmAttestMalformed = 2100,
    /// <summary>The TPM's signature is not of its form.</summary>
    TpmSignatureMalformed = 2101,
    /// <summary>The public area of a TPM key is not of its form.</summary>
    TpmPublicMalformed = 2102,
    /// <summary>No TPM made the statement.</summary>
    TpmMagic = 2103,
    /// <summary>A TPM's statement that is not a quote.</summary>
    TpmAttestType = 2104,
    /// <summary>Signed by another scheme or hash than the key is confined to.</summary>
    TpmSignatureScheme = 2105,
    /// <summary>Only SHA-1 stands behind it, and the policy does not allow that.</summary>
    TpmSha1 = 2106,
    /// <summary>The key is none that signs only what its TPM made.</summary>
    TpmKeyAttributes = 2107,
    /// <summary>A PCR that must be quoted is not, or one that is quoted has no stated value.</summary>
    TpmPcrSelection = 2108,
    /// <summary>The stated PCR values are not those that were signed.</summary>
    TpmPcrDigest = 2109,
    /// <summary>Nothing that the policy accepts says that a TPM holds the attestation key.</summary>
    TpmKeyUnknown = 2110,
    /// <summary>Time or counters are not as the policy asks.</summary>
    TpmClock = 2111,
    /// <summary>The TPM's firmware version is not as the policy asks.</summary>
    TpmFirmware = 2112,
    /// <summary>A certificate is not one of an attestation or endorsement key, or is for another key.</summary>
    TpmCertificateProfile = 2113,
    /// <summary>The endorsement key cannot be used to activate a credential.</summary>
    TpmEndorsementKey = 2114,
    /// <summary>The activated secret is not the one that was sent: the attestation key is not in the TPM of the endorsement key.</summary>
    TpmActivationFailed = 2115,
    /// <summary>The policy asks for the key of an endorsed TPM, and no activation tied the attestation key to one.</summary>
    TpmNotActivated = 2116,
    /// <summary>The endorsement key's certificate is genuine and none that the policy names.</summary>
    TpmEndorsementNotAccepted = 2117,
    /// <summary>The evidence does not bring what an activation needs.</summary>
    TpmEndorsementMissing = 2118,

    // 2200: event logs

    /// <summary>The event log is not of its form.</summary>
    EventLogMalformed = 2200,
    /// <summary>The event log does not lead to the quoted values.</summary>
    EventLogReplay = 2201,
    /// <summary>An event's data do not hash to its digest where its type says so.</summary>
    EventLogData = 2202,
    /// <summary>The evidence does not prove what the policy asks about the boot.</summary>
    BootNotProven = 2203,
    /// <summary>The machine booted otherwise than the policy accepts.</summary>
    BootNotAccepted = 2204,
    /// <summary>The integrity measurement list is not of its form.</summary>
    ImaLogMalformed = 2205,
    /// <summary>The integrity measurement list does not lead to the quoted PCR 10.</summary>
    ImaLogReplay = 2206,

    // 2300: Intel quotes and their collateral

    /// <summary>A quote has more bytes than any quote.</summary>
    QuoteTooLarge = 2300,
    /// <summary>A quote's version is not one that is read.</summary>
    QuoteVersion = 2301,
    /// <summary>A quote's attestation key is of a type that is not in use.</summary>
    QuoteKeyType = 2302,
    /// <summary>A quote is of another TEE than it must be of.</summary>
    QuoteTeeType = 2303,
    /// <summary>Another than Intel made the quoting enclave.</summary>
    QuoteVendor = 2304,
    /// <summary>A quote's body is of an unknown type or has another size than its type.</summary>
    QuoteBody = 2305,
    /// <summary>A quote ends inside a field.</summary>
    QuoteTruncated = 2306,
    /// <summary>A quote's certification data are of an unknown type or have another size than stated.</summary>
    QuoteCertification = 2307,
    /// <summary>Collateral is not of its JSON form.</summary>
    DcapCollateralMalformed = 2310,
    /// <summary>The PCK certificate's chain is missing, incomplete or holds something else.</summary>
    PckChainInvalid = 2320,
    /// <summary>A certificate stands where a PCK certificate belongs and is none, or lacks what one must say.</summary>
    PckCertificateInvalid = 2321,
    /// <summary>The signer of TCB info or identity may not sign them.</summary>
    TcbSignerInvalid = 2322,
    /// <summary>TCB info is not of its form.</summary>
    TcbInfoMalformed = 2330,
    /// <summary>TCB info is of other platforms or of the other TEE.</summary>
    TcbInfoMismatch = 2331,
    /// <summary>TCB info's signature does not hold over its exact text.</summary>
    TcbInfoSignature = 2332,
    /// <summary>The quoting enclave's identity is not of its form.</summary>
    QeIdentityMalformed = 2333,
    /// <summary>The identity is of the other TEE's quoting enclave.</summary>
    QeIdentityMismatch = 2334,
    /// <summary>The identity's signature does not hold over its exact text.</summary>
    QeIdentitySignature = 2335,
    /// <summary>Collateral of an earlier TCB recovery than the policy asks for.</summary>
    CollateralTooOld = 2336,
    /// <summary>Intel lists no TDX module of the stated version.</summary>
    TdxModuleUnknown = 2340,
    /// <summary>The TDX module is signed by another than Intel, or is no production module.</summary>
    TdxModuleMismatch = 2341,
    /// <summary>The TDX module is older than all that Intel lists.</summary>
    TdxModuleSvn = 2342,
    /// <summary>The PCK did not sign the quoting enclave's report.</summary>
    QeReportSignature = 2350,
    /// <summary>The quoting enclave's report does not cover the attestation key.</summary>
    QeReportData = 2351,
    /// <summary>The enclave that made the quote is not Intel's quoting enclave, or runs under debug.</summary>
    QeNotAccepted = 2352,
    /// <summary>The attestation key did not sign the quote.</summary>
    QuoteSignature = 2353,
    /// <summary>The attestation key is no point of its curve.</summary>
    AttestationKeyInvalid = 2354,
    /// <summary>The platform is below every TCB level that Intel lists.</summary>
    TcbLevelNotFound = 2360,
    /// <summary>The TCB status is not one that the policy accepts.</summary>
    TcbStatusNotAccepted = 2361,
    /// <summary>An advisory applies that the policy does not accept.</summary>
    AdvisoryNotAccepted = 2362,
    /// <summary>The platform is configured in a way that the policy does not accept.</summary>
    PlatformNotAccepted = 2363,
    /// <summary>It runs under debug: the host can read and change it.</summary>
    DebugNotAccepted = 2370,
    /// <summary>Its attributes or processor features are not those that the policy accepts.</summary>
    AttributesNotAccepted = 2371,
    /// <summary>A service trust domain that the policy does not accept is bound to it.</summary>
    ServiceTdNotAccepted = 2372,
    /// <summary>Unsigned bytes follow the quote that the policy does not accept.</summary>
    TrailingNotAccepted = 2373,

    /// <summary>There is no signature structure of an enclave where one was looked for, or it is not whole.</summary>
    SigStructMalformed = 2380,
    /// <summary>An enclave's signature structure is not signed by the key in it.</summary>
    SigStructSignature = 2381,

    // 2500: X.509 certificates and revocation lists

    /// <summary>A certificate is not of the form of RFC 5280, or is larger than is read.</summary>
    CertificateMalformed = 2500,
    /// <summary>A certificate's signature does not hold under its issuer's key.</summary>
    CertificateSignatureInvalid = 2501,
    /// <summary>A certificate's issuer is not the certificate that follows it.</summary>
    CertificateIssuerMismatch = 2502,
    /// <summary>A certificate issued another and may not, or not that deep.</summary>
    CertificateNotAuthority = 2503,
    /// <summary>A certificate or list is signed by an algorithm, or has a key of a kind, that is not accepted there.</summary>
    CertificateAlgorithm = 2504,
    /// <summary>A certificate lacks an extension that it must have, has one out of form, or a critical one that nobody knows.</summary>
    CertificateExtension = 2505,
    /// <summary>A chain is shorter or longer than is checked.</summary>
    CertificateChainLength = 2506,
    /// <summary>A revocation list is not of the form of RFC 5280, is larger than is read, or covers only a part.</summary>
    RevocationListMalformed = 2520,
    /// <summary>A revocation list is not by the authority that it must be by.</summary>
    RevocationListIssuer = 2521,
    /// <summary>A revocation list's signature does not hold.</summary>
    RevocationListSignature = 2522,

    // 2600: machine images and their measurements

    /// <summary>A file is no x86-64 EFI program, or one that firmware and this reader could see differently.</summary>
    ImageMalformed = 2600,
    /// <summary>An image is no Unified Kernel Image whose measurements can be predicted.</summary>
    ImageNotPredictable = 2601,
    /// <summary>A document of an image's measurements is not of its form.</summary>
    MeasurementsMalformed = 2610,
}

using System.Buffers.Binary;

namespace Cloister.Attestation.Dcap;

/// <summary>
/// The bytes of an Intel quote: version 3 (SGX), 4 and 5 (SGX and TDX) of the "Intel TDX DCAP Quoting Library API" and
/// "Intel SGX ECDSA QuoteLibReference". Parsing proves nothing and copies nothing.
/// </summary>
public static class QuoteLayout
{
    /// <summary>Most bytes of a quote. Real ones have about 5000 and come in buffers of 8000.</summary>
    public const int MaximumSize = 64 * 1024;

    private const int HeaderSize = 48, BodyDescriptorAt = 0x30, SignatureSize = 64, KeySize = 64;
    private const ushort EcdsaP256 = 2, OuterCertification = 6;
    private const ushort BodyOfSgx = 1, BodyOfTd10 = 2, BodyOfTd15 = 3;
    private const uint TeeSgx = 0, TeeTdx = 0x81;

    /// <summary>Intel's quoting enclave; others make quotes that Intel's identities do not describe.</summary>
    private static ReadOnlySpan<byte> IntelVendor => [0x93, 0x9A, 0x72, 0x33, 0xF7, 0x9C, 0x4C, 0xA9, 0x94, 0x0A, 0x0D, 0xB3, 0x95, 0x7F, 0x06, 0x07];

    /// <summary>Parses a quote. Its signatures are not checked here.</summary>
    public static Outcome<DcapQuote> Parse(ReadOnlyMemory<byte> quote)
    {
        ReadOnlySpan<byte> bytes = quote.Span;
        if (bytes.Length > MaximumSize) return Refuse(Refusal.QuoteTooLarge, "quote", $"{bytes.Length} bytes; a quote has at most {MaximumSize}");
        if (bytes.Length < HeaderSize) return Truncated("header");
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        ushort keyType = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        uint tee = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        if (version is not (3 or 4 or 5)) return Refuse(Refusal.QuoteVersion, "header.version", $"version {version}; known are 3, 4 and 5");
        if (keyType != EcdsaP256) return Refuse(Refusal.QuoteKeyType, "header.attestationKeyType", $"type {keyType}; only {EcdsaP256}, ECDSA P-256, is in use");
        if (tee is not (TeeSgx or TeeTdx) || (version == 3 && tee != TeeSgx)) return Refuse(Refusal.QuoteTeeType, "header.teeType", $"0x{tee:x} in a quote of version {version}; SGX is 0, TDX is 0x81 and begins with version 4");
        if (!bytes.Slice(12, 16).SequenceEqual(IntelVendor)) return Refuse(Refusal.QuoteVendor, "header.qeVendorId", "not made by Intel's quoting enclave, the only one whose identity is published");

        int bodyAt = HeaderSize;
        QuoteBodyKind kind = tee == TeeSgx ? QuoteBodyKind.Enclave : QuoteBodyKind.Td10;
        if (version == 5)
        {
            bodyAt = BodyDescriptorAt + 6;
            if (bytes.Length < bodyAt) return Truncated("body.type");
            ushort bodyType = BinaryPrimitives.ReadUInt16LittleEndian(bytes[BodyDescriptorAt..]);
            uint bodySize = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(BodyDescriptorAt + 2)..]);
            if (bodyType is not (BodyOfSgx or BodyOfTd10 or BodyOfTd15) || (bodyType == BodyOfSgx) != (tee == TeeSgx))
                return Refuse(Refusal.QuoteBody, "body.type", $"type {bodyType} for TEE 0x{tee:x}; 1 is SGX, 2 is TD 1.0, 3 is TD 1.5");
            if (bodyType == BodyOfTd15) kind = QuoteBodyKind.Td15;
            if (bodySize != SizeOf(kind)) return Refuse(Refusal.QuoteBody, "body.size", $"{bodySize} bytes; a body of type {bodyType} has {SizeOf(kind)}");
        }
        int signedEnd = bodyAt + SizeOf(kind);
        if (bytes.Length < signedEnd + sizeof(uint)) return Truncated("body");
        uint signatureLength = BinaryPrimitives.ReadUInt32LittleEndian(bytes[signedEnd..]);
        int signatureAt = signedEnd + sizeof(uint);
        if (signatureLength > bytes.Length - signatureAt) return Truncated("signatureData");
        int end = signatureAt + (int)signatureLength;

        var rest = new QuoteReader(quote[signatureAt..end]);
        if (!rest.TryBytes(SignatureSize, out ReadOnlyMemory<byte> signature) || !rest.TryBytes(KeySize, out ReadOnlyMemory<byte> key)) return Truncated("signatureData.signature");
        if (version > 3)
        {
            if (!rest.TryUInt16(out ushort outer) || !rest.TryUInt32(out uint outerLength)) return Truncated("signatureData.certificationData");
            if (outer != OuterCertification) return Refuse(Refusal.QuoteCertification, "signatureData.certificationData.type", $"type {outer}; from version 4 on the quoting enclave's report, type {OuterCertification}, stands here");
            if (outerLength != rest.Remaining) return Refuse(Refusal.QuoteCertification, "signatureData.certificationData.size", $"{outerLength} bytes stated, {rest.Remaining} there");
        }
        if (!rest.TryBytes(EnclaveReport.Size, out ReadOnlyMemory<byte> qeReport) || !rest.TryBytes(SignatureSize, out ReadOnlyMemory<byte> qeSignature)) return Truncated("qeReport");
        if (!rest.TryUInt16(out ushort authenticationLength) || !rest.TryBytes(authenticationLength, out ReadOnlyMemory<byte> authentication)) return Truncated("qeAuthenticationData");
        if (!rest.TryUInt16(out ushort certificationType) || !rest.TryUInt32(out uint certificationLength)) return Truncated("certificationData");
        if (certificationLength != rest.Remaining) return Refuse(Refusal.QuoteCertification, "certificationData.size", $"{certificationLength} bytes stated, {rest.Remaining} there");
        if (certificationType is not (>= 1 and <= 5 or 7)) return Refuse(Refusal.QuoteCertification, "certificationData.type", $"type {certificationType}; known are 1 to 5 and 7");
        _ = rest.TryBytes((int)certificationLength, out ReadOnlyMemory<byte> certification);

        return Outcome.Accept(new DcapQuote
        {
            Version = version,
            BodyKind = kind,
            QeSvn = version == 3 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]) : null,
            PceSvn = version == 3 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[10..]) : null,
            UserData = quote.Slice(28, 20),
            Signed = quote[..signedEnd],
            Body = quote[bodyAt..signedEnd],
            Signature = signature,
            AttestationKey = key,
            QeReport = qeReport,
            QeReportSignature = qeSignature,
            QeAuthenticationData = authentication,
            CertificationType = certificationType,
            CertificationData = certification,
            Trailing = quote[end..],
        });
    }

    /// <summary>Fuzz target: any bytes give a quote or a refusal.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (Parse(bytes.ToArray()).TryGetValue(out DcapQuote? quote) && quote.Body.Length != SizeOf(quote.BodyKind))
            throw new InvalidOperationException("A body has another size than its kind.");
    }

    private static int SizeOf(QuoteBodyKind kind) => kind switch
    {
        QuoteBodyKind.Enclave => EnclaveReport.Size,
        QuoteBodyKind.Td10 => Tdx.TdReport.Size10,
        _ => Tdx.TdReport.Size15,
    };

    private static Outcome<DcapQuote> Truncated(string field) => Refuse(Refusal.QuoteTruncated, field, "the quote ends before this field does");

    private static Outcome<DcapQuote> Refuse(Refusal refusal, string field, string reason) => Outcome.Refuse<DcapQuote>(refusal, field, reason);

    private ref struct QuoteReader(ReadOnlyMemory<byte> bytes)
    {
        private ReadOnlyMemory<byte> _rest = bytes;

        public readonly int Remaining => _rest.Length;

        public bool TryBytes(int count, out ReadOnlyMemory<byte> field)
        {
            bool there = _rest.Length >= count;
            field = there ? _rest[..count] : default;
            if (there) _rest = _rest[count..];
            return there;
        }

        public bool TryUInt16(out ushort value)
        {
            bool there = TryBytes(sizeof(ushort), out ReadOnlyMemory<byte> field);
            value = there ? BinaryPrimitives.ReadUInt16LittleEndian(field.Span) : (ushort)0;
            return there;
        }

        public bool TryUInt32(out uint value)
        {
            bool there = TryBytes(sizeof(uint), out ReadOnlyMemory<byte> field);
            value = there ? BinaryPrimitives.ReadUInt32LittleEndian(field.Span) : 0;
            return there;
        }
    }
}

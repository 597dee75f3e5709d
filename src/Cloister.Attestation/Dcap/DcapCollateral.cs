using System.Text.Json;
using static Cloister.Attestation.Dcap.CollateralJson;

namespace Cloister.Attestation.Dcap;

/// <summary>
/// What Intel publishes and a quote is verified with, unchecked: revocation lists, TCB info and the quoting enclave's identity
/// with their signatures and certificates. One JSON object, the form in which verifiers pass it around (docs/formats/dcap-collateral.md).
/// </summary>
public sealed record DcapCollateral
{
    /// <summary>The kind of <see cref="Endorsement"/> that holds it.</summary>
    public const string EndorsementKind = "dcap-collateral";

    /// <summary>PEM, the authority of the PCK certificate first; empty if not given: the quote's own chain has it.</summary>
    public ReadOnlyMemory<byte> PckCrlIssuerChain { get; init; }

    /// <summary>DER, the root's revocation list.</summary>
    public required ReadOnlyMemory<byte> RootCrl { get; init; }

    /// <summary>DER, the revocation list of the PCK certificate's authority.</summary>
    public required ReadOnlyMemory<byte> PckCrl { get; init; }

    /// <summary>PEM, the signer of TCB info first.</summary>
    public required ReadOnlyMemory<byte> TcbInfoIssuerChain { get; init; }

    /// <summary>The exact text that is signed.</summary>
    public required ReadOnlyMemory<byte> TcbInfo { get; init; }

    /// <summary>64 bytes, r and s.</summary>
    public required ReadOnlyMemory<byte> TcbInfoSignature { get; init; }

    /// <summary>PEM, the signer of the identity first.</summary>
    public required ReadOnlyMemory<byte> QeIdentityIssuerChain { get; init; }

    /// <summary>The exact text that is signed.</summary>
    public required ReadOnlyMemory<byte> QeIdentity { get; init; }

    /// <summary>64 bytes, r and s.</summary>
    public required ReadOnlyMemory<byte> QeIdentitySignature { get; init; }

    /// <summary>PEM, leaf first: for quotes that name their platform instead of carrying its certificates; empty if not given.</summary>
    public ReadOnlyMemory<byte> PckCertificateChain { get; init; }

    private const int SignatureSize = 64;

    /// <summary>Reads the JSON form. Members that it does not know are refused. Parts may be slices of the input.</summary>
    public static Outcome<DcapCollateral> Parse(ReadOnlyMemory<byte> json) => Guard(Refusal.DcapCollateralMalformed, "collateral", json.Span, span => Read(span, json));

    /// <summary>Takes the signed text and the signature out of an answer of Intel's service (<c>{"tcbInfo":{...},"signature":"..."}</c>).</summary>
    /// <param name="answer">The body.</param>
    /// <param name="member"><c>tcbInfo</c> or <c>enclaveIdentity</c>.</param>
    public static Outcome<(ReadOnlyMemory<byte> Text, ReadOnlyMemory<byte> Signature)> SplitAnswer(ReadOnlyMemory<byte> answer, string member) =>
        Guard(Refusal.DcapCollateralMalformed, member, answer.Span, span => ReadAnswer(span, answer, member));

    /// <summary>Writes the JSON form.</summary>
    public byte[] ToJson()
    {
        using var output = new MemoryStream();
        using (var writer = new Utf8JsonWriter(output))
        {
            writer.WriteStartObject();
            if (!PckCrlIssuerChain.IsEmpty) writer.WriteString("pck_crl_issuer_chain"u8, PckCrlIssuerChain.Span);
            writer.WriteString("root_ca_crl"u8, Convert.ToHexStringLower(RootCrl.Span));
            writer.WriteString("pck_crl"u8, Convert.ToHexStringLower(PckCrl.Span));
            writer.WriteString("tcb_info_issuer_chain"u8, TcbInfoIssuerChain.Span);
            writer.WriteString("tcb_info"u8, TcbInfo.Span);
            writer.WriteString("tcb_info_signature"u8, Convert.ToHexStringLower(TcbInfoSignature.Span));
            writer.WriteString("qe_identity_issuer_chain"u8, QeIdentityIssuerChain.Span);
            writer.WriteString("qe_identity"u8, QeIdentity.Span);
            writer.WriteString("qe_identity_signature"u8, Convert.ToHexStringLower(QeIdentitySignature.Span));
            if (!PckCertificateChain.IsEmpty) writer.WriteString("pck_certificate_chain"u8, PckCertificateChain.Span);
            writer.WriteEndObject();
        }
        return output.ToArray();
    }

    /// <summary>Fuzz target: accepted collateral is written and read back the same.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (!Parse(bytes.ToArray()).TryGetValue(out DcapCollateral? collateral)) return;
        if (!Parse(collateral.ToJson()).TryGetValue(out DcapCollateral? again) || !again.TcbInfo.Span.SequenceEqual(collateral.TcbInfo.Span) || !again.PckCrl.Span.SequenceEqual(collateral.PckCrl.Span))
            throw new InvalidOperationException("Collateral changed on its way.");
    }

    private static DcapCollateral Read(ReadOnlySpan<byte> span, ReadOnlyMemory<byte> json)
    {
        Utf8JsonReader reader = Start(span);
        Expect(ref reader, JsonTokenType.StartObject, "");
        uint seen = 0;
        ReadOnlyMemory<byte> pckCrlChain = default, rootCrl = default, pckCrl = default, tcbChain = default, tcb = default, tcbSignature = default, qeChain = default, qe = default, qeSignature = default, pckChain = default;
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("pck_crl_issuer_chain"u8)) { Once(ref seen, 0, "pck_crl_issuer_chain"); pckCrlChain = Text(ref reader, json, "pck_crl_issuer_chain"); }
            else if (reader.ValueTextEquals("root_ca_crl"u8)) { Once(ref seen, 1, "root_ca_crl"); rootCrl = AnyHex(ref reader, "root_ca_crl"); }
            else if (reader.ValueTextEquals("pck_crl"u8)) { Once(ref seen, 2, "pck_crl"); pckCrl = AnyHex(ref reader, "pck_crl"); }
            else if (reader.ValueTextEquals("tcb_info_issuer_chain"u8)) { Once(ref seen, 3, "tcb_info_issuer_chain"); tcbChain = Text(ref reader, json, "tcb_info_issuer_chain"); }
            else if (reader.ValueTextEquals("tcb_info"u8)) { Once(ref seen, 4, "tcb_info"); tcb = Text(ref reader, json, "tcb_info"); }
            else if (reader.ValueTextEquals("tcb_info_signature"u8)) { Once(ref seen, 5, "tcb_info_signature"); tcbSignature = Hex(ref reader, SignatureSize, "tcb_info_signature"); }
            else if (reader.ValueTextEquals("qe_identity_issuer_chain"u8)) { Once(ref seen, 6, "qe_identity_issuer_chain"); qeChain = Text(ref reader, json, "qe_identity_issuer_chain"); }
            else if (reader.ValueTextEquals("qe_identity"u8)) { Once(ref seen, 7, "qe_identity"); qe = Text(ref reader, json, "qe_identity"); }
            else if (reader.ValueTextEquals("qe_identity_signature"u8)) { Once(ref seen, 8, "qe_identity_signature"); qeSignature = Hex(ref reader, SignatureSize, "qe_identity_signature"); }
            else if (reader.ValueTextEquals("pck_certificate_chain"u8)) { Once(ref seen, 9, "pck_certificate_chain"); pckChain = Text(ref reader, json, "pck_certificate_chain"); }
            else throw new CollateralFormatException("members", "one is not known");
        }
        End(ref reader);
        const uint Needed = 0x1FE;
        if ((seen & Needed) != Needed) throw new CollateralFormatException("members", "one is missing; only pck_crl_issuer_chain and pck_certificate_chain may be");
        return new DcapCollateral
        {
            PckCrlIssuerChain = pckCrlChain,
            RootCrl = rootCrl,
            PckCrl = pckCrl,
            TcbInfoIssuerChain = tcbChain,
            TcbInfo = tcb,
            TcbInfoSignature = tcbSignature,
            QeIdentityIssuerChain = qeChain,
            QeIdentity = qe,
            QeIdentitySignature = qeSignature,
            PckCertificateChain = pckChain,
        };
    }

    private static (ReadOnlyMemory<byte> Text, ReadOnlyMemory<byte> Signature) ReadAnswer(ReadOnlySpan<byte> span, ReadOnlyMemory<byte> answer, string member)
    {
        Utf8JsonReader reader = Start(span);
        Expect(ref reader, JsonTokenType.StartObject, "");
        uint seen = 0;
        ReadOnlyMemory<byte> text = default, signature = default;
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals(member))
            {
                Once(ref seen, 0, "text");
                Next(ref reader);
                Expect(ref reader, JsonTokenType.StartObject, "text");
                int start = (int)reader.TokenStartIndex;
                reader.Skip();
                text = answer[start..(int)reader.BytesConsumed];
            }
            else if (reader.ValueTextEquals("signature"u8)) { Once(ref seen, 1, "signature"); signature = Hex(ref reader, SignatureSize, "signature"); }
            else throw new CollateralFormatException("members", "one is not known");
        }
        End(ref reader);
        return seen == 3 ? (text, signature) : throw new CollateralFormatException("members", "one is missing");
    }

    /// <summary>A text as UTF-8: a slice of the JSON where it has no escapes.</summary>
    private static ReadOnlyMemory<byte> Text(ref Utf8JsonReader reader, ReadOnlyMemory<byte> json, string field)
    {
        Next(ref reader);
        Expect(ref reader, JsonTokenType.String, field);
        if (!reader.ValueIsEscaped) return json.Slice((int)reader.TokenStartIndex + 1, reader.ValueSpan.Length);
        var text = new byte[reader.ValueSpan.Length];
        return text.AsMemory(0, reader.CopyString(text));
    }

    private static byte[] AnyHex(ref Utf8JsonReader reader, string field)
    {
        ReadOnlySpan<byte> text = PlainText(ref reader, field);
        return HexOf(text, text.Length / 2) ?? throw new CollateralFormatException(field, "is not hexadecimal");
    }
}

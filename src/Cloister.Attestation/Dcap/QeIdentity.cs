using System.Collections.Immutable;
using System.Text.Json;
using static Cloister.Attestation.Dcap.CollateralJson;

namespace Cloister.Attestation.Dcap;

/// <summary>
/// What Intel says of its quoting enclave ("Get Quoting Enclave Identity", version 2). Parsing proves nothing: the signature is
/// over the exact text.
/// </summary>
public sealed record QeIdentity
{
    private const int MaximumId = 16;

    private QeIdentity()
    {
    }

    /// <summary>Whether it is the identity of TDX's quoting enclave (<c>TD_QE</c>); of SGX's (<c>QE</c>) otherwise.</summary>
    public required bool IsTdx { get; init; }

    /// <summary>Valid from here.</summary>
    public required DateTimeOffset IssueDate { get; init; }

    /// <summary>Valid until here.</summary>
    public required DateTimeOffset NextUpdate { get; init; }

    /// <summary>Grows with each TCB recovery.</summary>
    public required long EvaluationDataNumber { get; init; }

    /// <summary>4 bytes, as in the report.</summary>
    public required ReadOnlyMemory<byte> MiscSelect { get; init; }

    /// <summary>4 bytes: the bits that are compared.</summary>
    public required ReadOnlyMemory<byte> MiscSelectMask { get; init; }

    /// <summary>16 bytes, as in the report.</summary>
    public required ReadOnlyMemory<byte> Attributes { get; init; }

    /// <summary>16 bytes: the bits that are compared.</summary>
    public required ReadOnlyMemory<byte> AttributesMask { get; init; }

    /// <summary>32 bytes.</summary>
    public required ReadOnlyMemory<byte> MrSigner { get; init; }

    /// <summary>The enclave's product number.</summary>
    public required int ProductId { get; init; }

    /// <summary>Newest first, whatever their order in the text.</summary>
    public required ImmutableArray<EnclaveTcbLevel> Levels { get; init; }

    /// <summary>Parses the inner <c>enclaveIdentity</c> object's text. Unknown members are passed over, as in TCB info.</summary>
    public static Outcome<QeIdentity> Parse(ReadOnlyMemory<byte> text) =>
        Guard(Refusal.QeIdentityMalformed, "enclaveIdentity", text.Span, span => Read(span, text));

    /// <summary>Fuzz target: any bytes give an identity or a refusal.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (Parse(bytes.ToArray()).TryGetValue(out QeIdentity? identity) && identity.MrSigner.Length != 32)
            throw new InvalidOperationException("A signer of another size.");
    }

    private static QeIdentity Read(ReadOnlySpan<byte> span, ReadOnlyMemory<byte> text)
    {
        Utf8JsonReader reader = Start(span);
        Expect(ref reader, JsonTokenType.StartObject, "");
        uint seen = 0;
        bool tdx = false;
        long version = 0, evaluation = 0;
        int product = 0;
        DateTimeOffset issue = default, next = default;
        byte[] misc = [], miscMask = [], attributes = [], attributesMask = [], signer = [];
        ImmutableArray<EnclaveTcbLevel> levels = [];
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("id"u8)) { Once(ref seen, 0, "id"); tdx = IdOf(PlainText(ref reader, "id")); }
            else if (reader.ValueTextEquals("version"u8)) { Once(ref seen, 1, "version"); version = Number(ref reader, int.MaxValue, "version"); }
            else if (reader.ValueTextEquals("issueDate"u8)) { Once(ref seen, 2, "issueDate"); issue = Date(ref reader, "issueDate"); }
            else if (reader.ValueTextEquals("nextUpdate"u8)) { Once(ref seen, 3, "nextUpdate"); next = Date(ref reader, "nextUpdate"); }
            else if (reader.ValueTextEquals("tcbEvaluationDataNumber"u8)) { Once(ref seen, 4, "tcbEvaluationDataNumber"); evaluation = Number(ref reader, uint.MaxValue, "tcbEvaluationDataNumber"); }
            else if (reader.ValueTextEquals("miscselect"u8)) { Once(ref seen, 5, "miscselect"); misc = Hex(ref reader, 4, "miscselect"); }
            else if (reader.ValueTextEquals("miscselectMask"u8)) { Once(ref seen, 6, "miscselectMask"); miscMask = Hex(ref reader, 4, "miscselectMask"); }
            else if (reader.ValueTextEquals("attributes"u8)) { Once(ref seen, 7, "attributes"); attributes = Hex(ref reader, 16, "attributes"); }
            else if (reader.ValueTextEquals("attributesMask"u8)) { Once(ref seen, 8, "attributesMask"); attributesMask = Hex(ref reader, 16, "attributesMask"); }
            else if (reader.ValueTextEquals("mrsigner"u8)) { Once(ref seen, 9, "mrsigner"); signer = Hex(ref reader, 32, "mrsigner"); }
            else if (reader.ValueTextEquals("isvprodid"u8)) { Once(ref seen, 10, "isvprodid"); product = (int)Number(ref reader, ushort.MaxValue, "isvprodid"); }
            else if (reader.ValueTextEquals("tcbLevels"u8)) { Once(ref seen, 11, "tcbLevels"); levels = TcbInfoReader.ReadEnclaveLevels(ref reader, text, "tcbLevels"); }
            else Skip(ref reader);
        }
        End(ref reader);
        if (seen != 0xFFF) throw new CollateralFormatException("members", "one of them is missing");
        if (version != 2) throw new CollateralFormatException("version", $"is {version}; known is 2");
        return new QeIdentity
        {
            IsTdx = tdx,
            IssueDate = issue,
            NextUpdate = next,
            EvaluationDataNumber = evaluation,
            MiscSelect = misc,
            MiscSelectMask = miscMask,
            Attributes = attributes,
            AttributesMask = attributesMask,
            MrSigner = signer,
            ProductId = product,
            Levels = levels,
        };
    }

    private static bool IdOf(ReadOnlySpan<byte> text) => text.Length <= MaximumId && text.SequenceEqual("TD_QE"u8)
        || (text.SequenceEqual("QE"u8) ? false : throw new CollateralFormatException("id", "is neither QE nor TD_QE"));
}

using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using static Cloister.Attestation.Dcap.CollateralJson;

namespace Cloister.Attestation.Dcap;

/// <summary>
/// Parses TCB info. Members that it does not know are passed over, for Intel adds some within a version and signs them all;
/// a member that it knows may stand once.
/// </summary>
public static class TcbInfoReader
{
    private const int Components = 16, MaximumLevels = 256, MaximumModules = 64, MaximumAdvisories = 256, MaximumAdvisoryName = 64;
    private const long MaximumEvaluationNumber = uint.MaxValue;

    /// <summary>Parses the inner <c>tcbInfo</c> object's text.</summary>
    public static Outcome<TcbInfo> Parse(ReadOnlyMemory<byte> text) =>
        Guard(Refusal.TcbInfoMalformed, "tcbInfo", text.Span, span => Read(span, text));

    /// <summary>Fuzz target: any bytes give TCB info or a refusal.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (!Parse(bytes.ToArray()).TryGetValue(out TcbInfo? info)) return;
        foreach (TcbLevel level in info.Levels)
            _ = level.Advisories.Names();
    }

    private static TcbInfo Read(ReadOnlySpan<byte> span, ReadOnlyMemory<byte> text)
    {
        Utf8JsonReader reader = Start(span);
        Expect(ref reader, JsonTokenType.StartObject, "");
        uint seen = 0;
        int version = 0;
        bool? tdx = null;
        DateTimeOffset issue = default, next = default;
        byte[] fmspc = [], pceId = [];
        long evaluation = 0;
        TdxModuleIdentity? module = null;
        ImmutableArray<TdxModuleIdentity> modules = [];
        ImmutableArray<TcbLevel> levels = [];
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("id"u8)) { Once(ref seen, 0, "id"); tdx = IdOf(PlainText(ref reader, "id")); }
            else if (reader.ValueTextEquals("version"u8)) { Once(ref seen, 1, "version"); version = (int)Number(ref reader, int.MaxValue, "version"); }
            else if (reader.ValueTextEquals("issueDate"u8)) { Once(ref seen, 2, "issueDate"); issue = Date(ref reader, "issueDate"); }
            else if (reader.ValueTextEquals("nextUpdate"u8)) { Once(ref seen, 3, "nextUpdate"); next = Date(ref reader, "nextUpdate"); }
            else if (reader.ValueTextEquals("fmspc"u8)) { Once(ref seen, 4, "fmspc"); fmspc = Hex(ref reader, 6, "fmspc"); }
            else if (reader.ValueTextEquals("pceId"u8)) { Once(ref seen, 5, "pceId"); pceId = Hex(ref reader, 2, "pceId"); }
            else if (reader.ValueTextEquals("tcbType"u8))
            {
                Once(ref seen, 6, "tcbType");
                if (Number(ref reader, int.MaxValue, "tcbType") != 0) throw new CollateralFormatException("tcbType", "is not 0, the only one whose levels can be compared");
            }
            else if (reader.ValueTextEquals("tcbEvaluationDataNumber"u8)) { Once(ref seen, 7, "tcbEvaluationDataNumber"); evaluation = Number(ref reader, MaximumEvaluationNumber, "tcbEvaluationDataNumber"); }
            else if (reader.ValueTextEquals("tdxModule"u8)) { Once(ref seen, 8, "tdxModule"); Next(ref reader); module = ReadModule(ref reader, text, false); }
            else if (reader.ValueTextEquals("tdxModuleIdentities"u8)) { Once(ref seen, 9, "tdxModuleIdentities"); modules = ReadModules(ref reader, text); }
            else if (reader.ValueTextEquals("tcbLevels"u8)) { Once(ref seen, 10, "tcbLevels"); levels = ReadLevels(ref reader, text); }
            else Skip(ref reader);
        }
        End(ref reader);
        const uint Needed = 0b100_1111_1110;
        if ((seen & Needed) != Needed) throw new CollateralFormatException("members", "one of version, issueDate, nextUpdate, fmspc, pceId, tcbType, tcbEvaluationDataNumber, tcbLevels is missing");
        if (version is not (2 or 3)) throw new CollateralFormatException("version", $"is {version}; known are 2 and 3");
        if ((version == 3) != tdx.HasValue) throw new CollateralFormatException("id", "belongs into version 3 and into no other");
        bool isTdx = tdx ?? false;
        if (isTdx != (module is not null)) throw new CollateralFormatException("tdxModule", "belongs into TCB info for TDX and into no other");
        if (levels.IsEmpty) throw new CollateralFormatException("tcbLevels", "is empty");
        foreach (TcbLevel level in levels)
            if (level.TdxComponents.IsEmpty == isTdx) throw new CollateralFormatException("tcbLevels.tcb.tdxtcbcomponents", "belongs into TCB info for TDX and into no other");
        return new TcbInfo
        {
            Version = version,
            IsTdx = isTdx,
            IssueDate = issue,
            NextUpdate = next,
            Fmspc = fmspc,
            PceId = pceId,
            EvaluationDataNumber = evaluation,
            Module = module,
            ModuleIdentities = modules,
            Levels = levels.Sort(HighestFirst),
        };
    }

    /// <summary>Intel's own verifier sorts levels, highest first, by SGX components, then TDX components, then PCE SVN.</summary>
    private static int HighestFirst(TcbLevel a, TcbLevel b)
    {
        int order = b.SgxComponents.Span.SequenceCompareTo(a.SgxComponents.Span);
        if (order == 0) order = b.TdxComponents.Span.SequenceCompareTo(a.TdxComponents.Span);
        return order != 0 ? order : b.PceSvn.CompareTo(a.PceSvn);
    }

    private static bool IdOf(ReadOnlySpan<byte> text) =>
        text.SequenceEqual("TDX"u8) || (text.SequenceEqual("SGX"u8) ? false : throw new CollateralFormatException("id", "is neither SGX nor TDX"));

    private static ImmutableArray<TcbLevel> ReadLevels(ref Utf8JsonReader reader, ReadOnlyMemory<byte> text)
    {
        Next(ref reader);
        Expect(ref reader, JsonTokenType.StartArray, "tcbLevels");
        var levels = ImmutableArray.CreateBuilder<TcbLevel>();
        while (NextItem(ref reader, levels.Count, MaximumLevels, "tcbLevels"))
        {
            Expect(ref reader, JsonTokenType.StartObject, "tcbLevels");
            uint seen = 0;
            Tcb tcb = default;
            DateTimeOffset date = default;
            TcbStatus status = TcbStatus.Unrecognized;
            AdvisoryList advisories = default;
            while (NextMember(ref reader))
            {
                if (reader.ValueTextEquals("tcb"u8)) { Once(ref seen, 0, "tcbLevels.tcb"); tcb = ReadTcb(ref reader); }
                else if (reader.ValueTextEquals("tcbDate"u8)) { Once(ref seen, 1, "tcbLevels.tcbDate"); date = Date(ref reader, "tcbLevels.tcbDate"); }
                else if (reader.ValueTextEquals("tcbStatus"u8)) { Once(ref seen, 2, "tcbLevels.tcbStatus"); status = TcbStatusText.Read(PlainText(ref reader, "tcbLevels.tcbStatus")); }
                else if (reader.ValueTextEquals("advisoryIDs"u8)) { Once(ref seen, 3, "tcbLevels.advisoryIDs"); advisories = ReadAdvisories(ref reader, text); }
                else Skip(ref reader);
            }
            if ((seen & 7) != 7) throw new CollateralFormatException("tcbLevels", "a level lacks tcb, tcbDate or tcbStatus");
            levels.Add(new TcbLevel(tcb.Sgx, tcb.Tdx, tcb.PceSvn, date, status, advisories));
        }
        return levels.ToImmutable();
    }

    private readonly record struct Tcb(byte[] Sgx, byte[] Tdx, int PceSvn);

    private static Tcb ReadTcb(ref Utf8JsonReader reader)
    {
        Next(ref reader);
        Expect(ref reader, JsonTokenType.StartObject, "tcbLevels.tcb");
        byte[]? sgx = null, tdx = null;
        uint seen = 0, listed = 0;
        int pceSvn = 0;
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("sgxtcbcomponents"u8)) { Once(ref seen, 0, "sgxtcbcomponents"); sgx = ReadComponents(ref reader, "sgxtcbcomponents"); }
            else if (reader.ValueTextEquals("tdxtcbcomponents"u8)) { Once(ref seen, 1, "tdxtcbcomponents"); tdx = ReadComponents(ref reader, "tdxtcbcomponents"); }
            else if (reader.ValueTextEquals("pcesvn"u8)) { Once(ref seen, 2, "pcesvn"); pceSvn = (int)Number(ref reader, ushort.MaxValue, "pcesvn"); }
            else if (ComponentOf(reader.ValueSpan) is { } index)
            {
                Once(ref listed, index, "sgxtcbcompNNsvn"); // version 2 writes the 16 components one by one
                sgx ??= new byte[Components];
                sgx[index] = (byte)Number(ref reader, byte.MaxValue, "sgxtcbcompNNsvn");
            }
            else Skip(ref reader);
        }
        bool one = (seen & 1) != 0 ? listed == 0 : listed == 0xFFFF;
        if (!one || (seen & 4) == 0) throw new CollateralFormatException("tcbLevels.tcb", "needs 16 SGX components, in one way of writing them, and pcesvn");
        return new Tcb(sgx!, tdx ?? [], pceSvn);
    }

    private static int? ComponentOf(ReadOnlySpan<byte> name)
    {
        if (name.Length != 15 || !name.StartsWith("sgxtcbcomp"u8) || !name.EndsWith("svn"u8)) return null;
        int index = (name[10] - '0') * 10 + (name[11] - '0') - 1;
        return char.IsAsciiDigit((char)name[10]) && char.IsAsciiDigit((char)name[11]) && index is >= 0 and < Components ? index : null;
    }

    private static byte[] ReadComponents(ref Utf8JsonReader reader, string field)
    {
        Next(ref reader);
        Expect(ref reader, JsonTokenType.StartArray, field);
        var components = new byte[Components];
        int count = 0;
        while (NextItem(ref reader, count, Components, field))
        {
            Expect(ref reader, JsonTokenType.StartObject, field);
            uint seen = 0;
            while (NextMember(ref reader))
            {
                if (reader.ValueTextEquals("svn"u8)) { Once(ref seen, 0, field); components[count] = (byte)Number(ref reader, byte.MaxValue, field); }
                else Skip(ref reader); // category and type are for people
            }
            if (seen == 0) throw new CollateralFormatException(field, "a component has no svn");
            count++;
        }
        return count == Components ? components : throw new CollateralFormatException(field, $"has {count} components, not {Components}");
    }

    private static ImmutableArray<TdxModuleIdentity> ReadModules(ref Utf8JsonReader reader, ReadOnlyMemory<byte> text)
    {
        Next(ref reader);
        Expect(ref reader, JsonTokenType.StartArray, "tdxModuleIdentities");
        var modules = ImmutableArray.CreateBuilder<TdxModuleIdentity>();
        while (NextItem(ref reader, modules.Count, MaximumModules, "tdxModuleIdentities"))
        {
            TdxModuleIdentity module = ReadModule(ref reader, text, true);
            if (modules.Any(other => other.Id == module.Id)) throw new CollateralFormatException("tdxModuleIdentities.id", $"{module.Id} stands twice");
            modules.Add(module);
        }
        return modules.ToImmutable();
    }

    private static TdxModuleIdentity ReadModule(ref Utf8JsonReader reader, ReadOnlyMemory<byte> text, bool named)
    {
        string at = named ? "tdxModuleIdentities" : "tdxModule";
        Expect(ref reader, JsonTokenType.StartObject, at);
        uint seen = 0;
        string id = "";
        byte[] signer = [];
        ulong attributes = 0, mask = 0;
        ImmutableArray<EnclaveTcbLevel> levels = [];
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("mrsigner"u8)) { Once(ref seen, 0, at); signer = Hex(ref reader, 48, $"{at}.mrsigner"); }
            else if (reader.ValueTextEquals("attributes"u8)) { Once(ref seen, 1, at); attributes = BinaryPrimitives.ReadUInt64LittleEndian(Hex(ref reader, 8, $"{at}.attributes")); }
            else if (reader.ValueTextEquals("attributesMask"u8)) { Once(ref seen, 2, at); mask = BinaryPrimitives.ReadUInt64LittleEndian(Hex(ref reader, 8, $"{at}.attributesMask")); }
            else if (named && reader.ValueTextEquals("id"u8)) { Once(ref seen, 3, at); id = ModuleId(PlainText(ref reader, $"{at}.id")); }
            else if (named && reader.ValueTextEquals("tcbLevels"u8)) { Once(ref seen, 4, at); levels = ReadEnclaveLevels(ref reader, text, $"{at}.tcbLevels"); }
            else Skip(ref reader);
        }
        uint needed = named ? 0x1Fu : 7u;
        return (seen & needed) == needed ? new TdxModuleIdentity(id, signer, attributes, mask, levels) : throw new CollateralFormatException(at, "a member is missing");
    }

    /// <summary>Intel's verifier compares these names without regard to case.</summary>
    private static string ModuleId(ReadOnlySpan<byte> text) =>
        text.Length <= 16 ? Encoding.ASCII.GetString(text).ToUpperInvariant() : throw new CollateralFormatException("tdxModuleIdentities.id", "is too long");

    internal static ImmutableArray<EnclaveTcbLevel> ReadEnclaveLevels(ref Utf8JsonReader reader, ReadOnlyMemory<byte> text, string at)
    {
        Next(ref reader);
        Expect(ref reader, JsonTokenType.StartArray, at);
        var levels = ImmutableArray.CreateBuilder<EnclaveTcbLevel>();
        while (NextItem(ref reader, levels.Count, MaximumLevels, at))
        {
            Expect(ref reader, JsonTokenType.StartObject, at);
            uint seen = 0;
            int svn = 0;
            DateTimeOffset date = default;
            TcbStatus status = TcbStatus.Unrecognized;
            AdvisoryList advisories = default;
            while (NextMember(ref reader))
            {
                if (reader.ValueTextEquals("tcb"u8)) { Once(ref seen, 0, at); svn = ReadSvn(ref reader, at); }
                else if (reader.ValueTextEquals("tcbDate"u8)) { Once(ref seen, 1, at); date = Date(ref reader, at); }
                else if (reader.ValueTextEquals("tcbStatus"u8)) { Once(ref seen, 2, at); status = TcbStatusText.Read(PlainText(ref reader, at)); }
                else if (reader.ValueTextEquals("advisoryIDs"u8)) { Once(ref seen, 3, at); advisories = ReadAdvisories(ref reader, text); }
                else Skip(ref reader);
            }
            if ((seen & 7) != 7) throw new CollateralFormatException(at, "a level lacks tcb, tcbDate or tcbStatus");
            levels.Add(new EnclaveTcbLevel(svn, date, status, advisories));
        }
        return levels.ToImmutable().Sort((a, b) => b.Svn.CompareTo(a.Svn));
    }

    private static int ReadSvn(ref Utf8JsonReader reader, string at)
    {
        Next(ref reader);
        Expect(ref reader, JsonTokenType.StartObject, at);
        uint seen = 0;
        int svn = 0;
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("isvsvn"u8)) { Once(ref seen, 0, at); svn = (int)Number(ref reader, ushort.MaxValue, at); }
            else Skip(ref reader);
        }
        return seen != 0 ? svn : throw new CollateralFormatException(at, "a level has no isvsvn");
    }

    private static AdvisoryList ReadAdvisories(ref Utf8JsonReader reader, ReadOnlyMemory<byte> text)
    {
        Next(ref reader);
        Expect(ref reader, JsonTokenType.StartArray, "advisoryIDs");
        int start = (int)reader.TokenStartIndex;
        for (int count = 0; NextItem(ref reader, count, MaximumAdvisories, "advisoryIDs"); count++)
        {
            Expect(ref reader, JsonTokenType.String, "advisoryIDs");
            if (reader.ValueIsEscaped || reader.ValueSpan.Length > MaximumAdvisoryName || !Ascii.IsValid(reader.ValueSpan)) throw new CollateralFormatException("advisoryIDs", "an advisory is plain text of at most 64 characters");
        }
        return new AdvisoryList(text[start..(int)reader.BytesConsumed]);
    }
}

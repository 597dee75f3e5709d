using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cloister.Attestation;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;
using Cloister.Attestation.Tpm;
using Cloister.Attestation.Tpm.EventLog;

namespace Cloister.Cli.Attest;

/// <summary>One thing that a file says.</summary>
/// <param name="Name">What of.</param>
/// <param name="Value">As the file has it.</param>
/// <param name="Meaning">In words, where the value is not; null otherwise.</param>
internal sealed record Statement(string Name, string Value, string? Meaning = null);

/// <summary>What a file of evidence says of itself, unproven.</summary>
/// <param name="Kind">What the file was read as.</param>
/// <param name="Statements">What it says.</param>
internal sealed partial record Inspection(string Kind, ImmutableArray<Statement> Statements)
{
    private const int ShownText = 64;

    /// <summary>Reads a file as whatever it is; null if it is nothing that is known.</summary>
    public static Inspection? Of(byte[] bytes) =>
        Snp(bytes) ?? EvidenceSetOf(bytes) ?? TpmReportOf(bytes) ?? Attest(bytes) ?? Quote(bytes) ?? CertificateOf(bytes) ?? Revocations(bytes) ?? Collateral(bytes) ?? Policy(bytes) ?? EventLog(bytes) ?? Key(bytes);

    /// <summary>Why a file that looks like evidence is not read as such; null if it looks like nothing.</summary>
    public static string? Nearest(byte[] bytes) => bytes.Length switch
    {
        >= SnpLayout.ReportSize and <= 4096 when bytes[0] is >= 1 and <= 8 && SnpLayout.Parse(SnpLayout.Unwrap(bytes)) is { IsAccepted: false } snp && !LooksLikeQuote(bytes) => $"as an SEV-SNP report: {snp.Field}: {snp.Reason}",
        > 48 when LooksLikeQuote(bytes) && QuoteLayout.Parse(bytes) is { IsAccepted: false } quote => $"as a TDX or SGX quote: {quote.Field}: {quote.Reason}",
        _ => null,
    };

    public JsonObject ToJson()
    {
        var fields = new JsonObject();
        foreach (Statement one in Statements)
            fields[one.Name] = one.Value;
        return new JsonObject { ["kind"] = Kind, ["fields"] = fields };
    }

    /// <summary>What claims say, in the order of names and numbers.</summary>
    public static ImmutableArray<Statement> Of(Claims claims) =>
        [new("measurement", claims.Measurement), .. claims.Fields.OrderBy(one => Number().Replace(one.Key, number => number.Value.PadLeft(4, '0')), StringComparer.Ordinal).Select(one => new Statement(one.Key, one.Value, Meanings.Of(claims.Kind, one.Key, one.Value)))];

    private static Inspection? Snp(byte[] bytes)
    {
        ReadOnlyMemory<byte> report = SnpLayout.Unwrap(bytes);
        return SnpLayout.Parse(report).IsAccepted && new SnpVerifier().ProveReport(report, Endorsements.None, Anchors.Pinned, VerificationTime.NoTimeCheck, false).Stated is { } stated
            ? new("SEV-SNP report", [.. Of(stated).Where(one => one.Name != SnpFields.Revocation)])
            : null;
    }

    private static Inspection? Quote(byte[] bytes)
    {
        if (!QuoteLayout.Parse(bytes).TryGetValue(out DcapQuote? quote)) return null;
        bool enclave = quote.BodyKind == QuoteBodyKind.Enclave;
        IVerifier verifier = enclave ? SgxVerifier.SignatureOnly() : TdxVerifier.SignatureOnly();
        Proof proof = verifier.Prove(new Evidence(verifier.Kind, bytes, default, default, []), new byte[64], Endorsements.None, Anchors.Pinned, VerificationTime.NoTimeCheck);
        return proof.Stated is { } stated ? new(enclave ? "SGX quote" : "TDX quote", [.. Of(stated).Where(one => one.Name != DcapFields.TcbStatus)]) : null;
    }

    private static Inspection? TpmReportOf(byte[] bytes) =>
        TpmReport.Parse(bytes).IsAccepted && new TpmVerifier().Prove(new Evidence(TeeKind.Tpm, bytes, default, default, []), default, Endorsements.None, Anchors.Pinned, VerificationTime.NoTimeCheck).Stated is { } stated ? new("TPM quote with its key", Of(stated)) : null;

    private static Inspection? Attest(byte[] bytes)
    {
        if (!TpmLayout.ParseAttest(bytes).TryGetValue(out TpmAttest? attest) || attest.Magic != TpmAttest.Generated) return null;
        return new(attest.Type == TpmAttest.Quote ? "TPM quote" : "TPM statement",
        [
            new("type", $"0x{attest.Type:x4}", attest.Type == TpmAttest.Quote ? "a quote" : "not a quote"),
            new("nonce", Hex(attest.ExtraData)),
            .. attest.Selection.Select(bank => new Statement($"pcrs.{bank.Bank.ToString().ToLowerInvariant()}", string.Join(',', Enumerable.Range(0, TpmLayout.PcrCount).Where(bank.Contains)))),
            new("pcrDigest", Hex(attest.PcrDigest)),
            new("qualifiedSigner", Hex(attest.QualifiedSigner)),
            new("clock", Text(attest.Clock.Milliseconds), attest.Clock.Safe ? "milliseconds, cannot have gone back" : "milliseconds, may have gone back"),
            new("clock.resetCount", Text(attest.Clock.ResetCount)),
            new("clock.restartCount", Text(attest.Clock.RestartCount)),
            new("firmwareVersion", $"0x{attest.FirmwareVersion:x16}"),
        ]);
    }

    private static Inspection? Key(byte[] bytes)
    {
        const int sizePrefix = 2;
        bool sized = bytes.Length > sizePrefix && (bytes[0] << 8 | bytes[1]) == bytes.Length - sizePrefix;
        return TpmLayout.ParsePublic(sized ? bytes.AsMemory(sizePrefix) : bytes).TryGetValue(out TpmPublic? key)
            ? new("TPM key", [new("type", $"{key.Type}"), new("name", Hex(key.Name)), new("attributes", $"{key.Attributes}"), new("scheme", $"{key.Scheme} {key.SchemeHash}")])
            : null;
    }

    private static Inspection? EvidenceSetOf(byte[] bytes)
    {
        if (!EvidenceCodec.Decode(bytes).TryGetValue(out EvidenceSet? set)) return null;
        ImmutableArray<Evidence> all = [set.Primary, .. set.Others.IsDefault ? [] : set.Others];
        return new("evidence set",
        [
            new("role", $"{set.Stated.Role}"),
            new("nonce", Hex(set.Stated.Nonce)),
            .. all.SelectMany((one, i) => (IEnumerable<Statement>)
            [
                new($"evidence[{i}].kind", $"{one.Kind}"),
                new($"evidence[{i}].endorsements", string.Join(", ", one.Endorsements.IsDefault ? [] : one.Endorsements.Select(endorsement => endorsement.Kind))),
                .. Of(one.Report.ToArray())?.Statements.Select(statement => statement with { Name = $"evidence[{i}].{statement.Name}" }) ?? [],
            ]),
        ]);
    }

    private static Inspection? CertificateOf(byte[] bytes) => !CertificateParser.ParseAny(bytes).TryGetValue(out Certificate? one) ? null : new("certificate",
    [
        new("subject", one.SubjectCommonName ?? "without a common name"),
        new("issuer", one.IssuerCommonName ?? "without a common name", one.IsSelfIssued ? "itself" : null),
        new("validity", $"{one.NotBefore:u} to {one.NotAfter:u}"),
        new("serialNumber", Hex(one.SerialNumber)),
        new("key", $"{one.KeyKind}, {one.KeyBits} bits"),
        new("signatureAlgorithm", $"{one.SignatureAlgorithm}"),
        new("authority", one.IsAuthority ? "true" : "false"),
    ]);

    private static Inspection? Revocations(byte[] bytes) => !CrlParser.Parse(bytes).TryGetValue(out RevocationList? list) ? null : new("revocation list",
        [new("issuer", list.IssuerCommonName ?? "without a common name"), new("thisUpdate", $"{list.ThisUpdate:u}"), new("nextUpdate", $"{list.NextUpdate:u}"), new("number", Hex(list.Number)), new("revoked", Text(list.Count))]);

    private static Inspection? Collateral(byte[] bytes) => !DcapCollateral.Parse(bytes).TryGetValue(out DcapCollateral? one) ? null : new("Intel collateral",
    [
        .. Members("tcbInfo", one.TcbInfo),
        .. Members("qeIdentity", one.QeIdentity),
        .. Revocations(one.RootCrl.ToArray())?.Statements.Select(statement => statement with { Name = "rootCrl." + statement.Name }) ?? [],
        .. Revocations(one.PckCrl.ToArray())?.Statements.Select(statement => statement with { Name = "pckCrl." + statement.Name }) ?? [],
    ]);

    private static Inspection? Policy(byte[] bytes) => PolicyReader.Read(bytes).TryGetValue(out PackagePolicy? policy)
        ? new("policy", [new("kinds", string.Join(", ", Enum.GetValues<TeeKind>().Where(policy.Names)))])
        : null;

    private static Inspection? EventLog(byte[] bytes)
    {
        if (!TcgEventLog.Parse(bytes).TryGetValue(out TcgEventLog? log) || log.Events.IsEmpty || log.Banks.IsEmpty) return null;
        TpmAlgorithm bank = log.Banks[^1].Algorithm;
        var statements = ImmutableArray.CreateBuilder<Statement>();
        statements.Add(new("banks", string.Join(", ", log.Banks.Select(one => one.Algorithm))));
        statements.Add(new("events", Text(log.Events.Length)));
        for (int i = 0; i < log.Events.Length; i++)
        {
            ref readonly TcgEvent one = ref log.Events[i];
            statements.Add(new($"event[{i}]", $"PCR {one.Pcr} {one.Type} {Convert.ToHexStringLower(log.DigestOf(one, bank))}", Subject(one.Type, log.DataOf(one))));
        }
        foreach (TcgBank each in log.Banks)
        {
            var replay = EventLogReplay.Run(log, each.Algorithm);
            for (int pcr = 0; pcr < TpmLayout.PcrCount; pcr++)
                if (replay.Touches(pcr)) statements.Add(new($"pcr.{each.Algorithm.ToString().ToLowerInvariant()}.{pcr}", Convert.ToHexStringLower(replay.Value(pcr)), "where the log leads to"));
        }
        return new("TCG event log", statements.ToImmutable());
    }

    private static IEnumerable<Statement> Members(string name, ReadOnlyMemory<byte> json)
    {
        JsonObject? members = null;
        try
        {
            members = JsonNode.Parse(json.Span) as JsonObject;
        }
        catch (System.Text.Json.JsonException malformed)
        {
            return [new(name, malformed.Message)];
        }
        return members is null ? [] : members.Where(one => one.Value is JsonValue).Select(one => new Statement($"{name}.{one.Key}", $"{one.Value}"));
    }

    /// <summary>What an event is about, where it says so in letters: a variable's name (UEFI_VARIABLE_DATA), an action.</summary>
    private static string? Subject(TcgEventType type, ReadOnlySpan<byte> data)
    {
        const int lengthAt = 16, nameAt = 32;
        switch (type)
        {
            case TcgEventType.EfiVariableDriverConfig or TcgEventType.EfiVariableBoot or TcgEventType.EfiVariableBoot2 or TcgEventType.EfiVariableAuthority:
                if (data.Length < nameAt) return null;
                ulong letters = BinaryPrimitives.ReadUInt64LittleEndian(data[lengthAt..]);
                return letters is > 0 and <= ShownText && nameAt + 2 * (int)letters <= data.Length ? Shown(Encoding.Unicode.GetString(data.Slice(nameAt, 2 * (int)letters))) : null;
            case TcgEventType.Action or TcgEventType.EfiAction or TcgEventType.Ipl:
                return Shown(Encoding.UTF8.GetString(data));
            default:
                return null;
        }
    }

    private static string? Shown(string text)
    {
        string letters = string.Concat(text.TrimEnd('\0').Where(letter => !char.IsControl(letter)));
        return letters.Length == 0 ? null : letters.Length <= ShownText ? letters : letters[..ShownText] + "...";
    }

    private static bool LooksLikeQuote(byte[] bytes) => bytes[0] is 3 or 4 or 5 && bytes[1] == 0 && bytes[2] is 2 or 3 && bytes[3] == 0;

    private static string Hex(ReadOnlyMemory<byte> bytes) => Convert.ToHexStringLower(bytes.Span);

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex("[0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}

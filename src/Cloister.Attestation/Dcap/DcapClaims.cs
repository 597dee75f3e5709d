using System.Collections.Immutable;
using System.Globalization;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;

namespace Cloister.Attestation.Dcap;

/// <summary>Writes down what a quote, its platform and the collateral say.</summary>
internal static class DcapClaims
{
    public static Claims Of(TeeKind kind, DcapQuote quote, PckExtension? platform, TcbEvaluation? tcb, ReadCollateral? collateral)
    {
        var fields = new List<KeyValuePair<string, string>>(40);
        void Add(string name, string value) => fields.Add(new(name, value));
        void AddHex(string name, ReadOnlyMemory<byte> bytes) => Add(name, Convert.ToHexStringLower(bytes.Span));

        Add(DcapFields.QuoteVersion, Text(quote.Version));
        Add(DcapFields.Trailing, quote.Trailing.IsEmpty ? "none" : quote.Trailing.Span.ContainsAnyExcept((byte)0) ? "other" : "zeros");
        string measurement = kind == TeeKind.Tdx
            ? TdxFields.Write(new TdReport(quote.Body), Add, AddHex)
            : SgxFields.Write(new EnclaveReport(quote.Body), Add, AddHex);
        if (platform is not null)
        {
            AddHex(DcapFields.Fmspc, platform.Fmspc);
            AddHex(DcapFields.PceId, platform.PceId);
            Add(DcapFields.PceSvn, Text(platform.PceSvn));
            AddHex(DcapFields.PlatformTcb, platform.TcbComponents);
            Add(DcapFields.DynamicPlatform, Text(platform.DynamicPlatform));
            Add(DcapFields.CachedKeys, Text(platform.CachedKeys));
            Add(DcapFields.Smt, Text(platform.Smt));
        }
        Add(DcapFields.TcbStatus, TcbStatusText.Name(tcb?.Status ?? TcbStatus.NotEvaluated));
        if (tcb is not null)
        {
            Add(DcapFields.TcbLevelFound, tcb.HasLevel ? "true" : "false");
            Add(DcapFields.PlatformStatus, TcbStatusText.Name(tcb.Platform));
            if (tcb.Module is { } module) Add(DcapFields.ModuleStatus, TcbStatusText.Name(module));
            Add(DcapFields.QeStatus, TcbStatusText.Name(tcb.QuotingEnclave));
            if (tcb.Date is { } date) Add(DcapFields.TcbDate, Text(date));
            Add(DcapFields.Advisories, string.Join(',', tcb.Advisories));
            TcbInfo info = collateral!.TcbInfo.Value;
            QeIdentity identity = collateral.QeIdentity.Value;
            Add(DcapFields.EvaluationDataNumber, Text(Math.Min(info.EvaluationDataNumber, identity.EvaluationDataNumber)));
            DateTimeOffset until = info.NextUpdate < identity.NextUpdate ? info.NextUpdate : identity.NextUpdate;
            foreach (Outcome<RevocationList> list in (ReadOnlySpan<Outcome<RevocationList>>)[collateral.RootCrl, collateral.PckCrl])
                if (list.TryGetValue(out RevocationList? crl) && crl.NextUpdate < until) until = crl.NextUpdate;
            Add(DcapFields.CollateralUntil, Text(until));
        }
        return new Claims(kind, false, measurement, ImmutableDictionary.CreateRange(StringComparer.Ordinal, fields));
    }

    public static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(bool? flag) => flag switch { true => "true", false => "false", null => "unknown" };

    private static string Text(DateTimeOffset moment) => moment.ToString(DcapFields.MomentFormat, CultureInfo.InvariantCulture);
}

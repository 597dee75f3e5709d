using Cloister.Attestation.Tpm.EventLog;

namespace Cloister.Attestation.Tpm;

/// <summary>TPM evidence, read once and unverified.</summary>
/// <param name="Report">The report.</param>
/// <param name="Attest">What was signed.</param>
/// <param name="Signature">The signature.</param>
/// <param name="Key">The attestation key's public area; null if only its SubjectPublicKeyInfo was stated.</param>
/// <param name="Log">The event log; null if there is none.</param>
internal sealed record TpmQuote(TpmReport Report, TpmAttest Attest, TpmSignature Signature, TpmPublic? Key, TcgEventLog? Log)
{
    public static Outcome<TpmQuote> Read(Evidence evidence)
    {
        Outcome<TpmReport> report = TpmReport.Parse(evidence.Report);
        if (!report.IsAccepted) return report.RefuseAs<TpmQuote>();
        Outcome<TpmAttest> attest = TpmLayout.ParseAttest(report.Value.Attest);
        if (!attest.IsAccepted) return attest.RefuseAs<TpmQuote>();
        Outcome<TpmSignature> signature = TpmLayout.ParseSignature(report.Value.Signature);
        if (!signature.IsAccepted) return signature.RefuseAs<TpmQuote>();
        TpmPublic? key = null;
        if (report.Value.KeyForm == TpmKeyForm.TpmPublic)
        {
            Outcome<TpmPublic> area = TpmLayout.ParsePublic(report.Value.Key);
            if (!area.IsAccepted) return area.RefuseAs<TpmQuote>();
            key = area.Value;
        }
        if (evidence.EventLog.IsEmpty) return Outcome.Accept(new TpmQuote(report.Value, attest.Value, signature.Value, key, null));
        Outcome<TcgEventLog> log = TcgEventLog.Parse(evidence.EventLog);
        return log.IsAccepted ? Outcome.Accept(new TpmQuote(report.Value, attest.Value, signature.Value, key, log.Value)) : log.RefuseAs<TpmQuote>();
    }

    /// <summary>Whether a PCR is covered by what was signed.</summary>
    public bool IsQuoted(TpmAlgorithm bank, int pcr)
    {
        foreach (TpmPcrSelection one in Attest.Selection)
            if (one.Bank == bank) return one.Contains(pcr);
        return false;
    }

    /// <summary>The quoted value of a PCR; null if it was not quoted.</summary>
    public ReadOnlyMemory<byte>? ValueOf(TpmAlgorithm bank, int pcr) => IsQuoted(bank, pcr) ? TpmPcrValues.Find(Report.Pcrs, bank, pcr) : null;

    /// <summary>The selection as text, such as <c>sha256:0,4,7</c>.</summary>
    public string DescribeSelection()
    {
        var text = new System.Text.StringBuilder();
        foreach (TpmPcrSelection bank in Attest.Selection)
        {
            text.Append(text.Length > 0 ? " " : "").Append(TpmHash.NameOf(bank.Bank));
            char separator = ':';
            for (int pcr = 0; pcr < TpmLayout.PcrCount; pcr++)
            {
                if (!bank.Contains(pcr)) continue;
                text.Append(separator).Append(pcr);
                separator = ',';
            }
        }
        return text.ToString();
    }

    public TpmSigner? ImportKey() => Key is null ? TpmSigner.Import(Report.Key) : TpmSigner.Import(Key);
}

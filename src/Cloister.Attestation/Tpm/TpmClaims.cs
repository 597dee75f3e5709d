using System.Collections.Immutable;
using System.Globalization;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.Tpm.EventLog;

namespace Cloister.Attestation.Tpm;

/// <summary>Gathers what a proven quote says.</summary>
internal sealed class TpmClaims
{
    private const int MaximumText = 8192;

    private readonly ImmutableDictionary<string, string>.Builder _fields = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
    private readonly TpmQuote _quote;

    public TpmClaims(TpmQuote quote, string algorithm, string? hierarchy)
    {
        _quote = quote;
        TpmAttest attest = quote.Attest;
        _fields[TpmFields.KeyAlgorithm] = algorithm;
        if (quote.Key is { } key)
        {
            _fields[TpmFields.KeyName] = Hex(key.Name.Span);
            _fields[TpmFields.KeyAttributes] = $"{key.Attributes}";
            if (hierarchy is not null) _fields[TpmFields.KeyHierarchy] = hierarchy;
        }
        _fields[TpmFields.SignatureHash] = TpmHash.NameOf(quote.Signature.Hash);
        _fields[TpmFields.Banks] = string.Join(',', attest.Selection.Where(bank => bank.Mask != 0).Select(bank => TpmHash.NameOf(bank.Bank)));
        _fields[TpmFields.Clock] = Text(attest.Clock.Milliseconds);
        _fields[TpmFields.ResetCount] = Text(attest.Clock.ResetCount);
        _fields[TpmFields.RestartCount] = Text(attest.Clock.RestartCount);
        _fields[TpmFields.ClockSafe] = Text(attest.Clock.Safe);
        _fields[TpmFields.FirmwareVersion] = Text(attest.FirmwareVersion);
        _fields[TpmFields.Nonce] = Hex(attest.ExtraData.Span);
        foreach (TpmPcrSelection bank in attest.Selection)
            for (int pcr = 0; pcr < TpmLayout.PcrCount; pcr++)
                if (quote.ValueOf(bank.Bank, pcr) is { } value) _fields[TpmFields.Pcr(bank.Bank, pcr)] = Hex(value.Span);
    }

    public Claims Finish() => new(TeeKind.Tpm, false, Hex(_quote.Attest.PcrDigest.Span), _fields.ToImmutable());

    public void Replayed(TpmAlgorithm bank, string phases)
    {
        if (phases.Length > 0) Add(bank, TpmFields.Boot.Phases, phases);
    }

    /// <summary>
    /// States what the log says. A part is stated only if the PCRs that prove it were quoted: the rest of a log is its sender's word.
    /// </summary>
    public void AddBoot(TcgEventLog log, TpmAlgorithm bank)
    {
        var boot = BootState.Read(log, bank);
        if (_quote.IsQuoted(bank, 7))
        {
            if (boot.SecureBoot is { } enforced) Add(bank, TpmFields.Boot.SecureBoot, Text(enforced));
            AddList(bank, TpmFields.Boot.Authorities, boot.Authorities);
        }
        if (_quote.IsQuoted(bank, 4)) AddList(bank, TpmFields.Boot.Applications, boot.Applications);
        if (_quote.IsQuoted(bank, 8))
            for (int i = 0; i < boot.CommandLines.Length; i++)
                Add(bank, i == 0 ? TpmFields.Boot.CommandLine : $"{TpmFields.Boot.CommandLine}.{Text((uint)i)}", boot.CommandLines[i]);
        if (_quote.IsQuoted(bank, 9))
        {
            if (boot.LoadOptions.Length > 0) Add(bank, TpmFields.Boot.LoadOptions, boot.LoadOptions);
            if (boot.Initrd.Length > 0) Add(bank, TpmFields.Boot.Initrd, boot.Initrd);
        }
        if (_quote.IsQuoted(bank, 11)) AddList(bank, TpmFields.Boot.StubSections, [.. boot.StubSections.Select(section => $"{section.Name}={section.Digest}")]);
    }

    public void AddIma(Endorsements endorsements)
    {
        foreach (TpmPcrSelection selection in _quote.Attest.Selection)
        {
            TpmAlgorithm bank = selection.Bank;
            if (_quote.ValueOf(bank, ImaLog.Pcr) is not { } quoted) continue;
            if (!quoted.Span.ContainsAnyExcept((byte)0)) Add(bank, TpmFields.Boot.Ima, "none");
            else if (ImaLog.IsBootAggregateAlone(bank, pcr => _quote.ValueOf(bank, pcr))) Add(bank, TpmFields.Boot.Ima, "boot-aggregate");
            else if (Find(endorsements, TpmVerifier.ImaList) is { } list && ImaLog.Replay(list.Span, bank, pcr => _quote.ValueOf(bank, pcr)) is { IsAccepted: true } replayed)
            {
                Add(bank, TpmFields.Boot.Ima, "list");
                Add(bank, TpmFields.Boot.ImaEntries, Text((uint)replayed.Value));
            }
        }
    }

    /// <summary>States whose certificate vouches for the key, or why the one at hand does not: a bad hint spoils no good quote.</summary>
    public void AddCertificate(Endorsements endorsements, byte[] key, ImmutableArray<Certificate> roots, SignatureChecker signatures, VerificationTime time)
    {
        Outcome<TpmKeyCertificate> checkedOne = TpmKeyCertificate.Check(Find(endorsements, TpmVerifier.KeyCertificate)!.Value, endorsements, roots, signatures, time);
        if (!checkedOne.TryGetValue(out TpmKeyCertificate? certificate))
        {
            _fields[TpmFields.CertificateProblem] = $"{checkedOne.Field}: {checkedOne.Reason}";
            return;
        }
        if (!certificate.SubjectPublicKeyInfo.Span.SequenceEqual(key))
        {
            _fields[TpmFields.CertificateProblem] = "it is for another key";
            return;
        }
        _fields[TpmFields.CertificateSubject] = certificate.Subject;
        _fields[TpmFields.CertificateIssuer] = certificate.Issuer;
        if (certificate.Instance is not { } instance) return;
        _fields[TpmFields.GceProject] = instance.ProjectId;
        _fields[TpmFields.GceZone] = instance.Zone;
        _fields[TpmFields.GceInstance] = instance.InstanceId;
    }

    private static ReadOnlyMemory<byte>? Find(Endorsements endorsements, string kind)
    {
        if (endorsements.Items.IsDefault) return null;
        foreach (Endorsement one in endorsements.Items)
            if (one.Kind == kind) return one.Bytes;
        return null;
    }

    private void AddList(TpmAlgorithm bank, string what, ImmutableArray<string> values)
    {
        string text = string.Join(',', values);
        Add(bank, what, text.Length <= MaximumText ? text : BootState.More);
    }

    private void Add(TpmAlgorithm bank, string what, string value) => _fields[TpmFields.OfBoot(bank, what)] = value;

    private static string Text<T>(T value) where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

    private static string Text(bool value) => value ? "true" : "false";

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Cli.Attest;
using Cloister.Cli.Attest.Cases;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

/// <summary>Options that name evidence by the role of each file; the same for all verbs that take evidence.</summary>
internal sealed class EvidenceOptions
{
    private readonly Option<string?>
        _report = new("--report") { Description = "SEV-SNP: the attestation report." },
        _vek = new("--vek") { Description = "SEV-SNP: the VCEK or VLEK certificate, DER or PEM." },
        _ask = new("--ask") { Description = "SEV-SNP: the ASK's certificate; pinned if not given." },
        _asvk = new("--asvk") { Description = "SEV-SNP: the ASVK's certificate, for a VLEK; pinned if not given." },
        _ark = new("--ark") { Description = "SEV-SNP: the root to trust instead of AMD's pinned ones." },
        _crl = new("--crl") { Description = "SEV-SNP: AMD's revocation list, DER." },
        _quote = new("--quote") { Description = "TDX, SGX: the quote. TPM: what was signed (TPMS_ATTEST)." },
        _collateral = new("--collateral") { Description = "TDX, SGX: TCB info, identities and revocation lists, JSON." },
        _root = new("--root") { Description = "TDX, SGX, TPM: the root to trust instead of the pinned one." },
        _signature = new("--signature") { Description = "TPM: the signature (TPMT_SIGNATURE)." },
        _ak = new("--ak") { Description = "TPM: the attestation key (TPM2B_PUBLIC, TPMT_PUBLIC, or SubjectPublicKeyInfo in DER or PEM)." },
        _akCertificate = new("--ak-cert") { Description = "TPM: the attestation key's certificate." },
        _intermediate = new("--intermediate") { Description = "TPM: a certificate between it and the root." },
        _pcrs = new("--pcrs") { Description = "TPM: the quoted values, JSON: {\"sha256\": {\"0\": \"...\"}}." },
        _eventLog = new("--eventlog") { Description = "TPM, TDX: the event log that leads to the quoted registers." },
        _nonce = new("--nonce") { Description = "What must have been signed freshly, hexadecimal; in report data it stands first and zeros follow." },
        _reportData = new("--report-data") { Description = "As --nonce: the 64 bytes of signed report data, hexadecimal." },
        _bundle = new("--bundle") { Description = "All of this in one file: a case as cases.json has them." },
        _at = new("--at") { Description = "When certificates and lists must be valid, for example 2026-06-01T12:00:00Z; 'none' looks at no dates. Now, if not given." };

    private readonly Option<bool> _signatureOnly = new("--signature-only") { Description = "TDX, SGX: leave out all that needs collateral: revocation, TCB status, the quoting enclave's identity." };

    public void AddTo(Command command)
    {
        foreach (Option option in (ReadOnlySpan<Option>)[_report, _vek, _ask, _asvk, _ark, _crl, _quote, _collateral, _root, _signatureOnly, _signature, _ak, _akCertificate, _intermediate, _pcrs, _eventLog, _nonce, _reportData, _bundle, _at])
            command.Add(option);
    }

    public bool SignatureOnly(ParseResult parsed) => parsed.GetValue(_signatureOnly);

    /// <summary>The evidence that the options name, or that lies in the bundle.</summary>
    public async Task<GivenEvidence> ReadAsync(ParseResult parsed, CancellationToken cancellation)
    {
        byte[]? freshness = Freshness(parsed);
        if (await ReadBundleAsync(parsed, cancellation) is { } one)
            return GivenEvidence.From(one.File, freshness ?? ((one.Input("nonce") ?? one.Input("report_data")) is { } hex ? Hex("The bundle's nonce", hex) : null));
        var files = new Dictionary<string, byte[]>();
        foreach ((string role, Option<string?> option) in ((string, Option<string?>)[])[("report", _report), ("vek", _vek), ("ask", _ask), ("asvk", _asvk), ("ark", _ark), ("crl", _crl), ("quote", _quote), ("collateral", _collateral),
            ("root", _root), ("signature", _signature), ("ak_public", _ak), ("ak_certificate", _akCertificate), ("intermediate", _intermediate), ("pcrs", _pcrs), ("eventlog", _eventLog)])
            if (parsed.GetValue(option) is { } path) files[role] = await LocalFile.ReadAsync(path, cancellation);
        return GivenEvidence.From(files.GetValueOrDefault, freshness);
    }

    /// <summary>The case in the bundle, with the time and nonce that the options say instead of its own; null without a bundle.</summary>
    public async Task<AttestationCase?> ReadBundleAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetValue(_bundle) is not { } path) return null;
        byte[] json = await LocalFile.ReadAsync(path, cancellation);
        try
        {
            using var document = JsonDocument.Parse(json);
            JsonElement one = document.RootElement.Clone();
            var read = new AttestationCase(one, Path.GetDirectoryName(Path.GetFullPath(path))!);
            return parsed.GetValue(_at) is null ? read : new AttestationCase(one, Path.GetDirectoryName(Path.GetFullPath(path))!) { Time = Time(parsed) };
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException)
        {
            throw new CommandException(ExitCode.BadInput, $"'{path}' is no case: {exception.Message}", exception);
        }
    }

    /// <summary>The time that the options say, or the bundle, or now.</summary>
    public async Task<VerificationTime> TimeAsync(ParseResult parsed, CancellationToken cancellation) =>
        await ReadBundleAsync(parsed, cancellation) is { } bundle ? bundle.Time : Time(parsed);

    private VerificationTime Time(ParseResult parsed) => parsed.GetValue(_at) switch
    {
        null => VerificationTime.At(TimeProvider.System.GetUtcNow()),
        "none" => VerificationTime.NoTimeCheck,
        string text => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at) ? VerificationTime.At(at)
            : throw new CommandException(ExitCode.Usage, $"'{text}' is no time: write 2026-06-01T12:00:00Z, or none."),
    };

    /// <summary>What must have been signed, as the options say; null if they do not.</summary>
    public byte[]? Freshness(ParseResult parsed) => (parsed.GetValue(_nonce), parsed.GetValue(_reportData)) switch
    {
        (null, null) => null,
        ({ } nonce, null) => Hex("--nonce", nonce),
        (null, { } data) => Hex("--report-data", data),
        _ => throw new CommandException(ExitCode.Usage, "--nonce and --report-data say the same in two ways: give one."),
    };

    private static byte[] Hex(string what, string text)
    {
        try
        {
            return Convert.FromHexString(text);
        }
        catch (FormatException exception)
        {
            throw new CommandException(ExitCode.Usage, $"{what} is not hexadecimal: '{text}'.", exception);
        }
    }
}

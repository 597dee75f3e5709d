using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;

namespace Cloister.Platform.Tpm;

/// <summary>
/// Attests by this machine's TPM: a quote over PCRs 0 to 15 of the SHA-256 bank with the boot's event log (docs/formats/tpm-report.md).
/// What that proves is what the TPM's owner lets it prove: of a TPM that a host runs for its guest, the host is trusted.
/// </summary>
public sealed class TpmIssuer : IEvidenceIssuer, ICredentialHolder, IDisposable
{
    /// <summary>Endorsement: the endorsement key's certificate, DER.</summary>
    public const string EndorsementCertificate = TpmEnrolment.EndorsementCertificate;

    /// <summary>Endorsement: the endorsement key's public area, TPMT_PUBLIC.</summary>
    public const string EndorsementPublic = TpmEnrolment.EndorsementPublic;

    private const int QuotedPcrs = 16;
    private static readonly TpmPcrSelection Selection = TpmPcrPolicy.SelectionOf(TpmAlgorithm.Sha256, Enumerable.Range(0, QuotedPcrs));

    private readonly TpmDevice _device;
    private readonly BootLogs _logs;

    private TpmIssuer(TpmDevice device, BootLogs logs) => (_device, _logs) = (device, logs);

    /// <summary>An issuer for a TPM; nothing is opened yet.</summary>
    /// <param name="where"><c>/dev/tpmrm0</c>, <c>/dev/tpm0</c> or <c>swtpm:/path/to/server.sock</c>.</param>
    /// <param name="logs">The boot's logs; by default those of the device, and none for a socket.</param>
    /// <param name="time">Where waiting comes from; the system's by default.</param>
    /// <exception cref="PlatformException"><see cref="PlatformError.TpmAddressInvalid"/>.</exception>
    public static TpmIssuer Open(string where, BootLogs? logs = null, TimeProvider? time = null) =>
        new(new TpmDevice(where, time), logs ?? BootLogs.Of(TpmAddress.Parse(where)));

    /// <inheritdoc/>
    public TeeKind Kind => TeeKind.Tpm;

    /// <inheritdoc/>
    public bool Simulated => false;

    /// <inheritdoc/>
    public async ValueTask<EvidenceSet> IssueAsync(Binding binding, ReadOnlyMemory<byte> runtimeData, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(binding);
        if (runtimeData.Length > EvidenceCodec.MaximumRuntimeData) throw new ArgumentException($"Runtime data have at most {EvidenceCodec.MaximumRuntimeData} bytes.", nameof(runtimeData));
        ReadOnlyMemory<byte> nonce = binding.ReportData(runtimeData.Span, []).AsMemory(0, TpmVerifier.NonceSize);
        byte[] log = await _logs.ReadEventLogAsync(cancellation);
        TpmEndorsement? endorsement = await _device.FindEndorsementAsync(cancellation);
        TpmReport report = await _device.QuoteAsync(nonce, Selection, cancellation);
        // The kernel's list grows all the time: read after the quote, its replay passes through the quoted PCR 10.
        byte[]? ima = await _logs.ReadImaListAsync(cancellation);
        return new EvidenceSet(new Evidence(Kind, report.Encode(), log, runtimeData, Hints(endorsement, ima)), [], binding);
    }

    /// <inheritdoc/>
    public ValueTask<TpmEndorsement> EndorsementAsync(CancellationToken cancellation) => _device.EndorsementAsync(cancellation);

    /// <inheritdoc/>
    public ValueTask<byte[]> ActivateAsync(TpmCredential credential, CancellationToken cancellation) => _device.ActivateAsync(credential, cancellation);

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();

    private static ImmutableArray<Endorsement> Hints(TpmEndorsement? endorsement, byte[]? ima)
    {
        var hints = ImmutableArray.CreateBuilder<Endorsement>();
        if (endorsement is not null)
        {
            hints.Add(new Endorsement(EndorsementCertificate, endorsement.Certificate));
            hints.Add(new Endorsement(EndorsementPublic, endorsement.EndorsementKey));
            hints.AddRange(endorsement.Intermediates.Select(one => new Endorsement(TpmVerifier.Intermediate, one)));
        }
        if (ima is not null) hints.Add(new Endorsement(TpmVerifier.ImaList, ima));
        return hints.ToImmutable();
    }
}

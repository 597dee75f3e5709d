using System.Collections.Immutable;
using Cloister.Attestation.Tpm;

namespace Cloister.Platform.Tpm;

/// <summary>
/// Seals to this machine's TPM and to its measured boot: another image, kernel, command line or Secure Boot setting does not open it.
/// An update changes those, so what is sealed must be recoverable in another way, as a coordinator's state is.
/// </summary>
public sealed class TpmSealer : IPlatformSealer, IDisposable
{
    private readonly TpmDevice _device;
    private readonly TpmPcrSelection _selection;

    /// <summary>A sealer; nothing is opened yet.</summary>
    /// <param name="where"><c>/dev/tpmrm0</c>, <c>/dev/tpm0</c> or <c>swtpm:/path/to/server.sock</c>.</param>
    /// <param name="pcrs">The PCRs that must stay; <see cref="DefaultPcrs"/> by default.</param>
    /// <param name="time">Where waiting comes from; the system's by default.</param>
    /// <exception cref="PlatformException"><see cref="PlatformError.TpmAddressInvalid"/>.</exception>
    public TpmSealer(string where, ImmutableArray<int> pcrs = default, TimeProvider? time = null)
    {
        _selection = TpmPcrPolicy.SelectionOf(TpmAlgorithm.Sha256, pcrs.IsDefault ? DefaultPcrs : pcrs);
        if (_selection.Mask == 0) throw new ArgumentException("Name at least one PCR.", nameof(pcrs));
        _device = new TpmDevice(where, time);
    }

    /// <summary>What is started, Secure Boot, initrd and command line, the unified kernel image, an overridden command line.</summary>
    public static ImmutableArray<int> DefaultPcrs { get; } = [4, 7, 9, 11, 12];

    /// <inheritdoc/>
    public string Kind => "tpm";

    /// <inheritdoc/>
    public async ValueTask<byte[]> SealAsync(ReadOnlyMemory<byte> secret, ReadOnlyMemory<byte> associatedData, CancellationToken cancellation) =>
        (await _device.SealAsync(_selection, secret, associatedData, cancellation)).Encode();

    /// <inheritdoc/>
    public async ValueTask<byte[]> UnsealAsync(ReadOnlyMemory<byte> sealedSecret, ReadOnlyMemory<byte> associatedData, CancellationToken cancellation)
    {
        try
        {
            return await _device.UnsealAsync(TpmSealedSecret.Parse(sealedSecret), associatedData, cancellation);
        }
        catch (PlatformException refused) when (refused.Error is PlatformError.TpmPolicyRefused or PlatformError.TpmSealedElsewhere or PlatformError.TpmSealedInvalid)
        {
            throw new PlatformException(PlatformError.UnsealRefused, refused.Message, refused) { TpmCode = refused.TpmCode };
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();
}

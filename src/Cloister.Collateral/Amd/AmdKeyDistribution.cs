using System.Globalization;
using Cloister.Attestation.SevSnp;

namespace Cloister.Collateral;

/// <summary>
/// AMD's Key Distribution Service (AMD 57230, "VCEK Certificate and KDS Interface Specification"), which answers about one request
/// in 10 seconds. One instance keeps that pace for all who share it: use one a process, and put a <see cref="DiskCache"/> before it.
/// </summary>
public sealed class AmdKeyDistribution : ICollateralSource, IDisposable
{
    private static readonly TimeSpan AmdPace = TimeSpan.FromSeconds(10);

    private readonly VendorService _service;

    /// <summary>Opens no connection yet.</summary>
    /// <exception cref="ArgumentException">An option cannot be.</exception>
    public AmdKeyDistribution(CollateralServiceOptions? options = null) =>
        _service = new VendorService(options ?? new(), new Uri("https://kdsintf.amd.com/"), AmdPace);

    /// <inheritdoc/>
    public async Task<CollateralItem> GetAsync(CollateralRequest request, CancellationToken cancellation = default)
    {
        if (request is SnpKeyRequest { Platform.Key: SnpSigningKey.Vlek })
            throw new CollateralException(CollateralError.NotServed, "AMD gives VLEK certificates to the cloud provider alone: the host hands its own to the guest, with the evidence.");
        string path = PathOf(request) ?? throw new CollateralException(CollateralError.NotServed, $"AMD does not serve {request.Name}.");
        var address = new Uri(_service.Address, path);
        VendorAnswer answer = await _service.GetAsync(address, request.MaximumSize, cancellation);
        return CollateralRequest.Dated(request.Accept(answer.Body, address.ToString(), _service.Time), StaleCollateral.Refuse, address.ToString());
    }

    /// <inheritdoc/>
    public void Dispose() => _service.Dispose();

    /// <summary>A request's path below the service's address; null if AMD does not serve it.</summary>
    internal static string? PathOf(CollateralRequest request) => request switch
    {
        SnpKeyRequest { Platform: { Key: SnpSigningKey.Vcek } platform } => $"vcek/v1/{platform.Product}/{platform.HardwareId}?{Query(platform)}",
        SnpAuthoritiesRequest one => $"{SnpNames.Of(one.Key)}/v1/{one.Product}/cert_chain",
        SnpRevocationListRequest one => $"{SnpNames.Of(one.Key)}/v1/{one.Product}/crl",
        _ => null,
    };

    private static string Query(SnpPlatform platform)
    {
        SnpTcb tcb = platform.Tcb;
        string fmc = platform.Product == SnpProduct.Turin ? string.Create(CultureInfo.InvariantCulture, $"fmcSPL={tcb.Fmc}&") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{fmc}blSPL={tcb.Bootloader}&teeSPL={tcb.Tee}&snpSPL={tcb.Snp}&ucodeSPL={tcb.Microcode}");
    }
}

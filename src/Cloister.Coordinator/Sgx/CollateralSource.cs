using Cloister.Collateral;

namespace Cloister.Coordinator.Sgx;

/// <summary>Where the coordinator has Intel's collateral from: a folder, which a service may fill.</summary>
internal sealed class CollateralSource : IDisposable
{
    private const string IntelsOwn = "intel";

    private readonly IntelProvisioningCertification? _service;

    private CollateralSource(ICollateralSource? source, IntelProvisioningCertification? service) => (Source, _service) = (source, service);

    /// <summary>Null if none was configured.</summary>
    public ICollateralSource? Source { get; }

    /// <summary>Opens no connection yet.</summary>
    public static CollateralSource Of(CoordinatorOptions options, TimeProvider time)
    {
        if (options.CollateralFolder is not { } folder)
            return new(null, null);
        if (options.CollateralService is not { } address)
            return new(new RecentCollateral(new OfflineFolder(folder, StaleCollateral.Refuse, time), time), null);
        var service = new IntelProvisioningCertification(new CollateralServiceOptions { Address = AddressOf(address), Time = time });
        return new(new RecentCollateral(new DiskCache(service, folder, StaleCollateral.Refuse, time), time), service);
    }

    /// <summary>A service's address; null for Intel's own.</summary>
    /// <exception cref="ArgumentException">It is neither.</exception>
    public static Uri? AddressOf(string service) => service == IntelsOwn ? null
        : Uri.TryCreate(service, UriKind.Absolute, out Uri? address) && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback)) ? address
        : throw new ArgumentException($"CLOISTER_COLLATERAL_SERVICE: '{service}' is neither 'intel' nor an https address, nor http on this machine.");

    public void Dispose() => _service?.Dispose();
}

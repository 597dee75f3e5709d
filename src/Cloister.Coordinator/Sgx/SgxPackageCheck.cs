using System.Globalization;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Sgx;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Sgx;

/// <summary>Judges a proven quote by a package's SGX properties, as MarbleRun does.</summary>
internal static class SgxPackageCheck
{
    private static readonly string[] ByDefault = [nameof(TcbStatus.SWHardeningNeeded)];

    /// <summary>Why the quote is not the package's; null if it is.</summary>
    /// <param name="claims">Proven.</param>
    /// <param name="package">What is wanted.</param>
    /// <param name="floor">The least security version that an update demands, above the package's own; 0 if none does.</param>
    public static string? Refuse(Claims claims, ManifestPackage package, ulong floor) => Platform(claims, package) ?? Identity(claims, package, floor);

    private static string? Platform(Claims claims, ManifestPackage package)
    {
        string status = Field(claims, DcapFields.TcbStatus);
        if (status == nameof(TcbStatus.UpToDate))
            return null;
        IEnumerable<string> accepted = package.AcceptedTcbStatuses.IsDefaultOrEmpty ? ByDefault : package.AcceptedTcbStatuses;
        // No manifest can accept a platform whose keys may be known to others, or of which Intel says nothing that is understood.
        if (status is nameof(TcbStatus.Revoked) or nameof(TcbStatus.NotSupported) or nameof(TcbStatus.Unrecognized) or nameof(TcbStatus.NotEvaluated)
            || !accepted.Contains(status, StringComparer.Ordinal))
            return $"TCB level invalid: {status}";
        if (status != nameof(TcbStatus.SWHardeningNeeded) || package.AcceptedAdvisories.IsDefaultOrEmpty)
            return null;
        string[] open = [.. Field(claims, DcapFields.Advisories).Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Where(advisory => !package.AcceptedAdvisories.Contains(advisory, StringComparer.OrdinalIgnoreCase))];
        return open.Length == 0 ? null : $"TCB status {status} contains advisories not accepted by configuration: [{string.Join(' ', open)}]";
    }

    private static string? Identity(Claims claims, ManifestPackage package, ulong floor)
    {
        bool debug = (ulong.Parse(Field(claims, SgxFields.Flags), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) & EnclaveReport.DebugFlag) != 0;
        ulong productId = Number(claims, SgxFields.ProductId), svn = Number(claims, SgxFields.Svn);
        ulong minimum = Math.Max(package.SecurityVersion ?? 0, floor);
        if (package.Debug != debug)
            return Differs("Debug", $"{package.Debug}", $"{debug}");
        if (!Same(package.UniqueId, Field(claims, SgxFields.MrEnclave)))
            return Differs("UniqueID", package.UniqueId!, Field(claims, SgxFields.MrEnclave));
        if (!Same(package.SignerId, Field(claims, SgxFields.MrSigner)))
            return Differs("SignerID", package.SignerId!, Field(claims, SgxFields.MrSigner));
        if (package.ProductId is { } product && product != productId)
            return Differs("ProductID", $"{product}", $"{productId}");
        return svn < minimum ? Differs("SecurityVersion", $"at least {minimum}", $"{svn}") : null;
    }

    private static bool Same(string? wanted, string found) => string.IsNullOrEmpty(wanted) || wanted.Equals(found, StringComparison.OrdinalIgnoreCase);

    private static string Differs(string property, string wanted, string found) => $"PackageProperties not compliant: {property}: expected {wanted}, got {found}";

    private static string Field(Claims claims, string name) => claims.Fields.GetValueOrDefault(name, "");

    private static ulong Number(Claims claims, string name) => ulong.Parse(Field(claims, name), NumberStyles.None, CultureInfo.InvariantCulture);
}

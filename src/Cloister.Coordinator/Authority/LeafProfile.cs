using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Attestation.Tpm;

namespace Cloister.Coordinator.Authority;

/// <summary>What goes into a workload's certificate.</summary>
internal sealed record LeafProfile(Guid Uuid, string MarbleType, PublicKey Key, SubjectNames Names, DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    /// <summary>The TPM's key that was activated for this very certificate; null if none was.</summary>
    public TpmEnrolledKey? ActivatedKey { get; init; }
}

/// <summary>DNS names and IP addresses a certificate is valid for.</summary>
internal sealed record SubjectNames(ImmutableArray<string> Dns, ImmutableArray<IPAddress> Addresses)
{
    public static SubjectNames None { get; } = new([], []);

    /// <summary>
    /// A server's: names and the loopback addresses, which every coordinator has. As in MarbleRun a name may be an address;
    /// names outside ASCII are written as DNS has them.
    /// </summary>
    public static SubjectNames OfServer(ImmutableArray<string> names)
    {
        var dns = names.Where(name => !IPAddress.TryParse(name, out _)).Select(name => Ascii.IsValid(name) ? name : new IdnMapping().GetAscii(name));
        var addresses = names.Select(name => IPAddress.TryParse(name, out IPAddress? address) ? address : null).OfType<IPAddress>();
        return new([.. dns], [IPAddress.Loopback, IPAddress.IPv6Loopback, .. addresses]);
    }
}

using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Coordinator.Authority;

/// <summary>What goes into a workload's certificate.</summary>
internal sealed record LeafProfile(Guid Uuid, string MarbleType, PublicKey Key, SubjectNames Names, DateTimeOffset NotBefore, DateTimeOffset NotAfter);

/// <summary>DNS names and IP addresses a certificate is valid for.</summary>
internal sealed record SubjectNames(ImmutableArray<string> Dns, ImmutableArray<IPAddress> Addresses)
{
    public static SubjectNames None { get; } = new([], []);

    /// <summary>The extension, or null where there is no name.</summary>
    public X509Extension? Build()
    {
        if (Dns.IsEmpty && Addresses.IsEmpty)
            return null;
        var builder = new SubjectAlternativeNameBuilder();
        foreach (string name in Dns)
            builder.AddDnsName(name);
        foreach (IPAddress address in Addresses)
            builder.AddIpAddress(address);
        return builder.Build();
    }
}

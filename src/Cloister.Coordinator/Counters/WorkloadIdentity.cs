using System.Security.Cryptography.X509Certificates;
using Cloister.Coordinator.Activation;
using Cloister.Coordinator.Authority;
using Cloister.Protocol.Marble;

namespace Cloister.Coordinator.Counters;

/// <summary>A workload that showed its certificate in the TLS handshake.</summary>
internal sealed record WorkloadIdentity(string Type, Guid Uuid)
{
    /// <summary>Reads it out of the certificate whose key the handshake proved: of the authority now in force, valid now, with the extension that names a type.</summary>
    /// <exception cref="CoordinatorException">WorkloadNotAuthenticated.</exception>
    public static WorkloadIdentity Require(X509Certificate2? connection, CertificateAuthority authority, DateTimeOffset now)
    {
        if (connection is null)
            throw Refused("client certificate did not match any Marble: none was shown");
        if (!WorkloadChain.Holds(connection, authority, now))
            throw Refused("the client certificate was not issued by this coordinator, or before the latest update, or is out of date");
        if (MarbleExtension.Read(connection) is not { } type || !UuidText.TryParse(connection.GetNameInfo(X509NameType.SimpleName, forIssuer: false), out Guid uuid))
            throw Refused("the client certificate names no marble type and UUID");
        return new WorkloadIdentity(type, uuid);
    }

    private static CoordinatorException Refused(string why) => new(CoordinatorError.WorkloadNotAuthenticated, "unauthorized marble: " + why);
}

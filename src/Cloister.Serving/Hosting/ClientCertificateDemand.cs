using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Protocol.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving;

/// <summary>
/// Answers only connections whose client certificate one of the authorities issued, whatever a caller's rights are besides: what
/// <c>client_verify</c> of an ssl_config_file demands. It stands behind the handshake, so that a refusal can say why.
/// </summary>
internal sealed class ClientCertificateDemand
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2Collection _roots = [], _others = [];
    private readonly ConditionalWeakTable<X509Certificate2, object> _judged = [];
    private readonly TimeProvider _time;

    /// <exception cref="ArgumentException">None of the authorities is a root.</exception>
    public ClientCertificateDemand(X509Certificate2Collection authorities, TimeProvider time)
    {
        _time = time;
        foreach (X509Certificate2 authority in authorities) (authority.SubjectName.RawData.AsSpan().SequenceEqual(authority.IssuerName.RawData) ? _roots : _others).Add(authority);
        if (_roots.Count == 0) throw new ArgumentException("None of the clients' authorities is a root certificate.", nameof(authorities));
    }

    public void Use(IApplicationBuilder application) => application.Use(async (http, next) =>
    {
        if (http.Connection.ClientCertificate is { } certificate && IsIssued(certificate)) await next(http);
        else await RefuseAsync(http);
    });

    /// <summary>Whether an authority issued it, for clients, and it holds now. Judged once a connection.</summary>
    internal bool IsIssued(X509Certificate2 certificate) => (bool)_judged.GetValue(certificate, judged => Judge(judged));

    private bool Judge(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_roots);
        chain.ChainPolicy.ExtraStore.AddRange(_others);
        chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid(ClientAuthentication));
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = _time.GetUtcNow().UtcDateTime;
        return chain.Build(certificate);
    }

    private static async Task RefuseAsync(HttpContext http)
    {
        const string Reason = "This server answers only clients whose certificate its configured authority issued.";
        if (http.Request.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) == true)
        {
            http.Response.ContentType = "application/grpc";
            http.Response.Headers["grpc-status"] = ((int)GrpcStatus.Unauthenticated).ToString(System.Globalization.CultureInfo.InvariantCulture);
            http.Response.Headers["grpc-message"] = Reason;
            return;
        }
        http.Response.StatusCode = StatusCodes.Status401Unauthorized;
        http.Response.ContentType = "application/json";
        await http.Response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes($$"""{"error": "{{Reason}}"}"""), http.RequestAborted);
    }
}

using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Client.Pkcs11;

namespace Cloister.Tests;

/// <summary>TLS client authentication with keys that stay in a token, over real sockets.</summary>
[Collection(nameof(SoftToken))]
public sealed class Pkcs11IdentityTests(SoftToken soft)
{
    private static Pkcs11Identity Open(string key, string certificate)
    {
        using Pkcs11Configuration configuration = Pkcs11Configuration.Read(Encoding.UTF8.GetBytes(SoftToken.Configuration()));
        return Pkcs11Identity.Open(configuration, Pkcs11Name.Of(null, key), Pkcs11Name.Of(null, certificate));
    }

    [TokenFact]
    public async Task Every_kind_of_key_authenticates_under_TLS_1_2_and_1_3()
    {
        foreach ((string label, byte[] half) in new[] { ("rsa", soft.RsaKey), ("p256", soft.P256Key), ("p384", soft.P384Key) })
        {
            foreach (SslProtocols protocol in new[] { SslProtocols.Tls13, SslProtocols.Tls12 })
            {
                using Pkcs11Identity identity = Open(label, label);
                Assert.True(identity.Certificate.HasPrivateKey);
                (byte[] presented, SslProtocols spoken) = await ShakeHandsAsync(identity.Certificate, protocol);
                Assert.Equal(protocol, spoken);
                Assert.Equal(half, presented);
            }
        }
    }

    [TokenFact]
    public async Task A_key_that_is_gone_ends_the_handshake_and_not_the_process()
    {
        Pkcs11Identity identity = Open("p256", "p256");
        using X509Certificate2 kept = new(identity.Certificate);
        identity.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => ShakeHandsAsync(kept, SslProtocols.Tls13));
    }

    [TokenFact]
    public void A_certificate_of_another_key_is_refused()
    {
        Assert.Equal(Pkcs11Error.ObjectNotSuitable, Assert.Throws<Pkcs11Exception>(() => Open("p256", "p384")).Error);
        Assert.Equal(Pkcs11Error.ObjectNotSuitable, Assert.Throws<Pkcs11Exception>(() => Open("rsa", "p256")).Error);
        Assert.Equal(Pkcs11Error.ObjectNotFound, Assert.Throws<Pkcs11Exception>(() => Open("p256", "nothing")).Error);
    }

    private static async Task<(byte[] PresentedKey, SslProtocols Protocol)> ShakeHandsAsync(X509Certificate2 client, SslProtocols protocol)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 server = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var connection = new TcpClient();
        Task<TcpClient> accepting = listener.AcceptTcpClientAsync();
        await connection.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using TcpClient accepted = await accepting;
        await using var there = new SslStream(accepted.GetStream());
        await using var here = new SslStream(connection.GetStream());
        Task serving = there.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificate = server,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
            EnabledSslProtocols = protocol,
        });
        Task asking = here.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "server",
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
            ClientCertificateContext = SslStreamCertificateContext.Create(client, null, offline: true),
            EnabledSslProtocols = protocol,
        });
        await Task.WhenAny(serving, asking);
        if (asking.IsFaulted || serving.IsFaulted)
        {
            // Whoever still waits has no partner any more.
            accepted.Close();
            connection.Close();
        }
        await Task.WhenAll(serving, asking);
        return (((X509Certificate2)there.RemoteCertificate!).PublicKey.ExportSubjectPublicKeyInfo(), there.SslProtocol);
    }
}

using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Cloister.Tests.Mesh;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Cloister.Workload.Tests;

/// <summary>Speaks the marble service under a certificate of its own and answers what a test lets it.</summary>
internal sealed class FakeCoordinator : IAsyncDisposable
{
    private readonly WebApplication _application;

    private FakeCoordinator(WebApplication application) => _application = application;

    public string Address => "localhost:" + new Uri(_application.Urls.Single()).Port;

    public int Activations { get; private set; }

    public static async Task<FakeCoordinator> StartAsync(Func<ChallengeReq, ChallengeResp> challenge, Func<ActivationReq, ActivationResp>? activate = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        SslStreamCertificateContext certificate = TestCertificate.Context();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = certificate,
                    ClientCertificateRequired = true,
                    RemoteCertificateValidationCallback = (_, peer, _, _) => peer is X509Certificate2,
                }),
            });
        }));
        WebApplication application = builder.Build();
        var coordinator = new FakeCoordinator(application);
        application.MapGrpcUnary(MarbleService.ChallengePath, ChallengeReq.Parser, (_, request, _) => Task.FromResult(challenge(request)));
        application.MapGrpcUnary(MarbleService.ActivatePath, ActivationReq.Parser, (_, request, _) =>
        {
            coordinator.Activations++;
            return Task.FromResult(activate?.Invoke(request) ?? new ActivationResp());
        });
        await application.StartAsync();
        return coordinator;
    }

    public async ValueTask DisposeAsync() => await _application.DisposeAsync();
}

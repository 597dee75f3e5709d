using System.Net;
using Cloister.Client;
using Cloister.Tests.Mesh;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cloister.Workload.Tests;

/// <summary>The README's example, with a real coordinator and client.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public async Task AServerProvesWhatItIs()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        WorkloadActivator activator = mesh.Activator(TestMesh.OtherType);
        using Activation activation = await activator.ActivateAsync(new Progress<WorkloadState>(state => _ = state.Message));

        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddCloisterWorkload(activator, activation);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0,
            listen => listen.UseWorkloadCertificate(activation.Identity)));
        await using var app = builder.Build();
        app.MapWorkloadEvidence(activation.Identity);
        app.MapGet("/", () => $"{activation.MarbleType} under manifest {activation.ManifestFingerprint}");
        await app.StartAsync();

        Assert.Contains(app.Services.GetServices<IHostedService>(), service => service is CertificateRenewal);
        int port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
        VerifiedDeployment deployment = await mesh.VerifyAsync();
        using var http = new HttpClient(new AttestedHttpHandler(deployment, TestMesh.OtherType));
        Assert.Equal($"letters under manifest {deployment.Fingerprint}", await http.GetStringAsync($"https://localhost:{port}/"));
    }
}

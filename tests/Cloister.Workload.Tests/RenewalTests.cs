using Cloister.Protocol.Grpc;
using Cloister.Tests.Mesh;

namespace Cloister.Workload.Tests;

public sealed class RenewalTests
{
    [Fact]
    public async Task ARenewalBringsACertificateForAFreshKeyAndUsesUpNoActivation()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(withManifest: false);
        await mesh.SetManifestAsync(mesh.Manifest(maxActivations: 1));
        await mesh.SetModelKeyAsync();
        WorkloadActivator activator = mesh.Activator();
        using Activation activation = await activator.ActivateAsync();
        WorkloadCertificate first = activation.Identity.Current;
        for (int i = 0; i < 3; i++)
        {
            await activator.RenewAsync(activation, CancellationToken.None);
            WorkloadCertificate renewed = activation.Identity.Current;
            Assert.NotEqual(first.SubjectPublicKeyInfo.ToArray(), renewed.SubjectPublicKeyInfo.ToArray());
            Assert.Equal(first.Leaf.Subject, renewed.Leaf.Subject);
        }
    }

    [Fact]
    public async Task TheLoopRenewsAtTwoThirdsOfTheLifetimeAndServesTheNewCertificate()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        var time = new ManualTime(DateTimeOffset.UtcNow);
        WorkloadActivator activator = mesh.Activator(TestMesh.OtherType, time: time);
        using Activation activation = await activator.ActivateAsync();
        WorkloadCertificate first = activation.Identity.Current;
        using var renewal = new CertificateRenewal(activator, activation, time: time);
        using var end = new CancellationTokenSource();
        Task running = renewal.RunAsync(end.Token);

        await time.UntilSleepsAsync(TimeSpan.FromHours(15), TimeSpan.FromHours(17));
        Assert.Same(first, activation.Identity.Current);
        time.Advance(TimeSpan.FromHours(15));
        Assert.Same(first, activation.Identity.Current);
        time.Advance(TimeSpan.FromHours(1.1));
        // The loop sleeps again once it has renewed.
        await time.UntilSleepsAsync(TimeSpan.FromHours(4), TimeSpan.FromHours(17));
        Assert.NotSame(first, activation.Identity.Current);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public void TwoThirdsAreOfWhatIsLeft()
    {
        DateTimeOffset now = DateTimeOffset.UnixEpoch;
        Assert.Equal(now.AddHours(16), CertificateRenewal.RenewAt(now, now.AddHours(24)));
        Assert.True(CertificateRenewal.RenewAt(now, now.AddHours(-3)) < now);
    }

    [Fact]
    public async Task AWorkloadWhoseCertificateExpiresStops()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        var time = new ManualTime(DateTimeOffset.UtcNow);
        WorkloadActivator activator = mesh.Activator(TestMesh.OtherType, time: time);
        using Activation activation = await activator.ActivateAsync();
        await mesh.Coordinator.DisposeAsync();
        using var renewal = new CertificateRenewal(activator, activation, time: time);
        Task running = renewal.RunAsync(CancellationToken.None);
        await time.UntilSleepsAsync(TimeSpan.FromHours(15), TimeSpan.FromHours(17));
        time.Advance(TimeSpan.FromHours(24) - TimeSpan.FromMilliseconds(1));
        var e = await Assert.ThrowsAsync<WorkloadException>(() => running);
        Assert.Equal(WorkloadError.CertificateExpired, e.Error);
    }

    [Fact]
    public async Task AnAbsentCoordinatorIsTriedAgainAndFoundWhenItIsBack()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        var time = new ManualTime(DateTimeOffset.UtcNow);
        var issuer = new CountingIssuer(mesh.WorkloadIssuer);
        WorkloadActivator activator = mesh.Activator(TestMesh.OtherType, issuer: issuer, time: time);
        using Activation activation = await activator.ActivateAsync();
        WorkloadCertificate first = activation.Identity.Current;
        issuer.Before = () => issuer.Issued == 2 ? throw new Cloister.Platform.PlatformException(Cloister.Platform.PlatformError.SimulatorAbsent, "gone") : Task.CompletedTask;
        using var renewal = new CertificateRenewal(activator, activation, time: time);
        using var end = new CancellationTokenSource();
        Task running = renewal.RunAsync(end.Token);
        await time.UntilSleepsAsync(TimeSpan.FromHours(15), TimeSpan.FromHours(17));
        time.Advance(TimeSpan.FromHours(17));
        await time.UntilSleepsAsync(TimeSpan.FromSeconds(0.7), TimeSpan.FromSeconds(1));
        Assert.Same(first, activation.Identity.Current);
        time.Advance(TimeSpan.FromSeconds(1));
        await time.UntilSleepsAsync(TimeSpan.FromHours(4), TimeSpan.FromHours(17));
        Assert.NotSame(first, activation.Identity.Current);
        Assert.Equal(3, issuer.Issued);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task ARenewalUnderAnotherWorkloadsCertificateIsRefused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        WorkloadActivator one = mesh.Activator(TestMesh.OtherType), two = mesh.Activator(TestMesh.OtherType);
        using Activation first = await one.ActivateAsync();
        using Activation second = await two.ActivateAsync();
        var thief = new WorkloadIdentity(TestMesh.OtherType, first.Uuid, first.ManifestFingerprint, second.Identity.Current, mesh.WorkloadIssuer);
        var stolen = new Activation(thief, first.MarbleRoot, first.CoordinatorRoot, first.Parameters, first.Models, first.Rights);
        var e = await Assert.ThrowsAsync<GrpcException>(() => one.RenewAsync(stolen, CancellationToken.None));
        Assert.Equal(GrpcStatus.PermissionDenied, e.Status);
    }
}

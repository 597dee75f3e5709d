using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Grpc;

namespace Cloister.Coordinator.Tests.Activation;

/// <summary>A workload that exchanges its certificate while it runs.</summary>
public sealed class OwnModeRenewalTests : IAsyncLifetime
{
    private TestCoordinator _coordinator = null!;

    public async Task InitializeAsync()
    {
        _coordinator = await TestCoordinator.StartAsync();
        Assert.Equal(200, (await _coordinator.SetManifestAsync(new TestManifest(_coordinator.HostKey).Text)).Code);
    }

    public async Task DisposeAsync() => await _coordinator.DisposeAsync();

    [Fact]
    public async Task A_clock_that_was_set_back_refuses_renewal_with_a_certificate_of_the_future_and_activates_anew()
    {
        using var workload = new TestWorkload(_coordinator, "once");
        X509Certificate2 current = workload.Join(await workload.ActivateAsync());
        _coordinator.Clock.Set(_coordinator.Clock.GetUtcNow().AddDays(-30));

        using var next = new TestWorkload(_coordinator, "once") { Uuid = workload.Uuid, Renewal = true, Connection = current };
        Assert.Equal(GrpcStatus.PermissionDenied, (await next.RefusedAsync()).Status);
        await workload.ActivateAsync();
        Assert.Equal(2, _coordinator.Host.State.Current.Activations["once"]);
    }

    [Fact]
    public async Task A_renewal_with_a_new_key_uses_no_activation_up()
    {
        using var workload = new TestWorkload(_coordinator, "once");
        X509Certificate2 current = workload.Join(await workload.ActivateAsync());
        for (int i = 0; i < 3; i++)
        {
            _coordinator.Clock.Advance(TimeSpan.FromHours(20));
            using var next = new TestWorkload(_coordinator, "once") { Uuid = workload.Uuid, Renewal = true, Connection = current };
            X509Certificate2 renewed = next.Join(await next.ActivateAsync());
            Assert.Equal(_coordinator.Clock.GetUtcNow() + TimeSpan.FromHours(24), renewed.NotAfter.ToUniversalTime());
            current = renewed;
        }
        Assert.Equal(1, _coordinator.Host.State.Current.Activations["once"]);
    }

    [Fact]
    public async Task A_renewal_needs_the_current_certificate_of_this_very_workload()
    {
        using var workload = new TestWorkload(_coordinator);
        X509Certificate2 current = workload.Join(await workload.ActivateAsync());
        await RefusedRenewalAsync(current, Guid.NewGuid().ToString("D"), "free");
        await RefusedRenewalAsync(current, workload.Uuid, "once");
        using ECDsa foreign = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await RefusedRenewalAsync(TestWorkload.SelfSigned(foreign), workload.Uuid, "free");
        _coordinator.Clock.Advance(TimeSpan.FromHours(25));
        await RefusedRenewalAsync(current, workload.Uuid, "free");

        async Task RefusedRenewalAsync(X509Certificate2 connection, string uuid, string type)
        {
            using var next = new TestWorkload(_coordinator, type) { Uuid = uuid, Renewal = true, Connection = connection };
            GrpcException refused = await next.RefusedAsync();
            Assert.Equal(GrpcStatus.PermissionDenied, refused.Status);
            Assert.Contains("renewal was refused", refused.Detail, StringComparison.Ordinal);
        }
    }
}

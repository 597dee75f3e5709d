using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cloister.Workload;

/// <summary>Registers an activated workload in an application.</summary>
public static class WorkloadServices
{
    /// <summary>Adds the activation and its identity, and keeps the certificate fresh as long as the application runs.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="activator">What activated the workload.</param>
    /// <param name="activation">The workload; the caller keeps owning it.</param>
    public static IServiceCollection AddCloisterWorkload(this IServiceCollection services, WorkloadActivator activator, Activation activation)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(activator);
        ArgumentNullException.ThrowIfNull(activation);
        return services
            .AddSingleton(activation)
            .AddSingleton(activation.Identity)
            .AddHostedService(provider => new CertificateRenewal(activator, activation, provider.GetRequiredService<ILogger<CertificateRenewal>>(), provider.GetService<TimeProvider>()));
    }
}

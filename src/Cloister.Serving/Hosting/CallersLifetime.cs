using Microsoft.Extensions.Hosting;

namespace Cloister.Serving;

/// <summary>Leaves signals to the program that runs the host: a library that caught them would keep the process alive.</summary>
internal sealed class CallersLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

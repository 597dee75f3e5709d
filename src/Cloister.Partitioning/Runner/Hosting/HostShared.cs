using System.Net.Security;
using Microsoft.Extensions.Logging;

namespace Cloister.Partitioning.Runner.Hosting;

/// <summary>What all connections of an accelerator share.</summary>
internal sealed class HostShared(AcceleratorOptions options, SslServerAuthenticationOptions? tls, ILogger logger) : IDisposable
{
    // A run for which a connection waits, and one of every other connection, as long as they are small.
    private const int RunsAtOnce = 8;

    public AcceleratorOptions Options => options;

    public ILogger Logger => logger;

    /// <summary>What workloads are shown; null where nothing is encrypted.</summary>
    public SslServerAuthenticationOptions? Tls => tls;

    public ModelShelf Models { get; } = new(options, logger);

    /// <summary>Memory of tensors that were received and not computed yet.</summary>
    public ByteBudget RunMemory { get; } = new(checked(options.MaximumRunBytes * RunsAtOnce));

    /// <summary>One run goes on at a time, with all threads.</summary>
    public SemaphoreSlim Turn { get; } = new(1);

    public void Dispose()
    {
        Models.Dispose();
        Turn.Dispose();
    }
}

using Cloister.Protocol.Grpc;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Workload;

/// <summary>
/// Keeps an activated workload's certificate fresh: at two thirds of its lifetime a new key is made, attested and
/// certified, and new connections are served under it. In between it asks which manifest is in force, and renews at once when another is,
/// so that callers' rights follow. Runs as a hosted service, or by <see cref="RunAsync"/>.
/// </summary>
public sealed class CertificateRenewal : BackgroundService
{
    private static readonly TimeSpan s_firstDelay = TimeSpan.FromSeconds(1), s_longestDelay = TimeSpan.FromMinutes(5), s_longestSleep = TimeSpan.FromDays(1);

    private readonly WorkloadActivator _activator;
    private readonly Activation _activation;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <summary>Creates the loop; nothing happens until it is started.</summary>
    /// <param name="activator">What activated the workload.</param>
    /// <param name="activation">The workload.</param>
    /// <param name="logger">Where renewals are written.</param>
    /// <param name="time">The clock; the system's if null.</param>
    public CertificateRenewal(WorkloadActivator activator, Activation activation, ILogger? logger = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(activator);
        ArgumentNullException.ThrowIfNull(activation);
        (_activator, _activation, _logger, _time) = (activator, activation, logger ?? NullLogger.Instance, time ?? TimeProvider.System);
    }

    /// <summary>Renews until cancelled.</summary>
    /// <exception cref="WorkloadException">
    /// <see cref="WorkloadError.CertificateExpired"/>: no renewal succeeded in time; <see cref="WorkloadError.ManifestChanged"/>:
    /// another manifest is in force, under which this workload is another. Either way it must stop serving and start anew.
    /// </exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            DateTimeOffset now = _time.GetUtcNow();
            await DueAsync(RenewAt(now, _activation.Identity.Current.NotAfter), cancellation);
            await RenewAsync(cancellation);
        }
    }

    // Until the certificate is due, or another manifest is in force.
    private async Task DueAsync(DateTimeOffset instant, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task due = SleepUntilAsync(instant, either.Token), changed = UntilManifestChangesAsync(either.Token);
        Task first = await Task.WhenAny(due, changed);
        await either.CancelAsync();
        await (first == due ? changed : due).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
    }

    private async Task UntilManifestChangesAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await Task.Delay(_activator.ManifestPoll, _time, cancellation);
            try
            {
                string inForce = await _activator.ManifestInForceAsync(_activation.Identity, cancellation);
                if (inForce == _activation.ManifestFingerprint) continue;
                _logger.ManifestChanged(inForce);
                return;
            }
            catch (Exception e) when (e is GrpcException or WorkloadException)
            {
                // What is in force stays so until somebody says otherwise, or the certificate ends.
                _logger.ManifestNotAsked(e.Message);
            }
        }
    }

    /// <summary>Two thirds of what is left at <paramref name="obtained"/>.</summary>
    internal static DateTimeOffset RenewAt(DateTimeOffset obtained, DateTimeOffset notAfter) => obtained + (notAfter - obtained) * (2.0 / 3);

    private async Task RenewAsync(CancellationToken cancellation)
    {
        // A manifest that waits for somebody may be followed by one that takes rights away: it is asked for as often as in between.
        TimeSpan poll = _activator.ManifestPoll;
        var backoff = new Backoff(s_firstDelay, poll >= s_firstDelay && poll < s_longestDelay ? poll : s_longestDelay);
        while (true)
        {
            WorkloadIdentity identity = _activation.Identity;
            string reason;
            try
            {
                await _activator.RenewAsync(_activation, cancellation);
                _logger.Renewed(identity.MarbleType, identity.Current.NotAfter);
                return;
            }
            catch (GrpcException e)
            {
                reason = e.Message;
            }
            catch (WorkloadException e) when (e.Error != WorkloadError.ManifestChanged)
            {
                // Even what is final for an activation may be mended in the time that is left.
                reason = e.Message;
            }
            DateTimeOffset notAfter = identity.Current.NotAfter;
            TimeSpan delay = backoff.Next();
            if (_time.GetUtcNow() + delay >= notAfter)
                throw new WorkloadException(WorkloadError.CertificateExpired, $"The certificate of '{identity.MarbleType}' was not renewed before it expires at {notAfter:u}: {reason}");
            _logger.NotRenewed(identity.MarbleType, reason, delay, notAfter);
            await Task.Delay(delay, _time, cancellation);
        }
    }

    private async Task SleepUntilAsync(DateTimeOffset instant, CancellationToken cancellation)
    {
        while (instant - _time.GetUtcNow() is var left && left > TimeSpan.Zero)
            await Task.Delay(left < s_longestSleep ? left : s_longestSleep, _time, cancellation);
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => RunAsync(stoppingToken);
}

using System.Net.Sockets;
using System.Runtime.Versioning;
using Cloister.Attestation.Simulation;
using Microsoft.Extensions.Logging;

namespace Cloister.Platform.Simulation;

/// <summary>
/// A local process that measures whoever connects to it and signs what it saw. It exercises every step of attestation and proves
/// nothing against the machine: whoever reads its key can sign anything. Linux only.
/// </summary>
public sealed class SimulatorServer
{
    private readonly SimulatorOptions _options;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Makes a simulator; nothing happens before it runs.</summary>
    /// <exception cref="PlatformNotSupportedException">This is not Linux.</exception>
    public SimulatorServer(SimulatorOptions options, ILogger logger)
    {
        if (!OperatingSystem.IsLinux()) throw new PlatformNotSupportedException("The simulator measures processes through /proc and runs on Linux alone.");
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaximumConnections, 1);
        (_options, _logger) = (options, logger);
    }

    /// <summary>Completes when peers can connect; fails if the simulator could not start.</summary>
    public Task Listening => _listening.Task;

    /// <summary>Serves until cancelled, then drops the peers being served and removes the socket.</summary>
    /// <exception cref="PlatformException">The host key or the socket cannot be used.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        if (!OperatingSystem.IsLinux()) throw new PlatformNotSupportedException();
        try
        {
            using var hostKey = SimulatorHostKey.LoadOrCreate(_options.HostKeyFolder);
            using Socket listener = SimulatorSocket.Listen(_options.SocketPath);
            _logger.Listening(_options.SocketPath, hostKey.Base64);
            _listening.TrySetResult();
            await ServeAsync(listener, hostKey, cancellation);
        }
        catch (Exception failed)
        {
            _listening.TrySetException(failed);
            throw;
        }
    }

    [SupportedOSPlatform("linux")]
    private async Task ServeAsync(Socket listener, SimulatorHostKey hostKey, CancellationToken cancellation)
    {
        using var places = new SemaphoreSlim(_options.MaximumConnections);
        try
        {
            while (true)
            {
                await places.WaitAsync(cancellation);
                Socket peer;
                try
                {
                    peer = await listener.AcceptAsync(cancellation);
                }
                catch
                {
                    places.Release();
                    throw;
                }
                _ = ServeThenReleaseAsync(peer, hostKey, places, cancellation);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            for (int i = 0; i < _options.MaximumConnections; i++)
                await places.WaitAsync(CancellationToken.None);
        }
        finally
        {
            File.Delete(_options.SocketPath);
            _logger.Ended(_options.SocketPath);
        }
    }

    [SupportedOSPlatform("linux")]
    private async Task ServeThenReleaseAsync(Socket socket, SimulatorHostKey hostKey, SemaphoreSlim places, CancellationToken cancellation)
    {
        using (socket)
        {
            try
            {
                await AnswerQuestionAsync(socket, hostKey, cancellation);
            }
            catch (OperationCanceledException)
            {
                _logger.Dropped(cancellation.IsCancellationRequested ? "the simulator ends" : "it was too slow");
            }
            catch (SocketException broken)
            {
                _logger.Dropped(broken.Message);
            }
            catch (Exception unexpected)
            {
                _logger.Failed(unexpected); // one peer's failure is not the others'
            }
        }
        places.Release();
    }

    [SupportedOSPlatform("linux")]
    private async Task AnswerQuestionAsync(Socket socket, SimulatorHostKey hostKey, CancellationToken cancellation)
    {
        byte[]? question = await WithinAsync(token => SimulatorWire.ReadFrameAsync(socket, token), cancellation);
        if (question is null)
        {
            _logger.Dropped("it sent no frame");
            return;
        }
        if (SimulatorWire.ReadQuestion(question) is not { } reportData)
        {
            _logger.Dropped("it did not ask for evidence");
            await AnswerAsync(socket, SimulatorWire.Refuse("this is not a question for evidence in the version that is spoken here"), cancellation);
            return;
        }
        byte[] answer;
        int processId = 0;
        try
        {
            using var peer = PeerProcess.Of(socket);
            processId = peer.Id;
            (byte[] measurement, string executable) = await Task.Run(() => PeerMeasurement.Of(peer, cancellation), cancellation);
            answer = SimulatorWire.Grant(SimulationReport.Encode(hostKey.Key, measurement, reportData, executable));
            _logger.Granted(processId, executable, Convert.ToHexStringLower(measurement));
        }
        catch (PlatformException refused)
        {
            answer = SimulatorWire.Refuse(refused.Message);
            _logger.Refused(processId, refused.Error, refused.Message);
        }
        await AnswerAsync(socket, answer, cancellation);
    }

    private async ValueTask AnswerAsync(Socket socket, byte[] answer, CancellationToken cancellation) => await WithinAsync(async token =>
    {
        await SimulatorWire.WriteAsync(socket, answer, token);
        return true;
    }, cancellation);

    private async ValueTask<T> WithinAsync<T>(Func<CancellationToken, ValueTask<T>> work, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(_options.PeerTimeout, _options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        return await work(either.Token);
    }
}

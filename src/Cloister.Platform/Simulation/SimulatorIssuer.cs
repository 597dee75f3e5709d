using System.Net.Sockets;
using Cloister.Attestation;
using Cloister.Attestation.Simulation;

namespace Cloister.Platform.Simulation;

/// <summary>Asks a simulator for evidence about this process. What it gives proves nothing against the machine.</summary>
/// <param name="socketPath">The simulator's Unix socket.</param>
/// <param name="timeProvider">Where time comes from; the system's by default.</param>
public sealed class SimulatorIssuer(string socketPath, TimeProvider? timeProvider = null) : IEvidenceIssuer
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <inheritdoc/>
    public TeeKind Kind => TeeKind.Simulation;

    /// <inheritdoc/>
    public bool Simulated => true;

    /// <inheritdoc/>
    public async ValueTask<EvidenceSet> IssueAsync(Binding binding, ReadOnlyMemory<byte> runtimeData, CancellationToken cancellation)
    {
        if (runtimeData.Length > EvidenceCodec.MaximumRuntimeData) throw new ArgumentException($"Runtime data have at most {EvidenceCodec.MaximumRuntimeData} bytes.", nameof(runtimeData));
        byte[] reportData = binding.ReportData(runtimeData.Span, []);
        using var timeout = new CancellationTokenSource(Patience, timeProvider ?? TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            byte[] report = await AskAsync(reportData, either.Token);
            Outcome<SimulationReport> parsed = SimulationLayout.Parse(report);
            if (!parsed.IsAccepted || !parsed.Value.ReportData.Span.SequenceEqual(reportData))
                throw new PlatformException(PlatformError.SimulatorAnswerInvalid, "The simulator answered with a report that is not for this question.");
            return new EvidenceSet(new Evidence(Kind, report, default, runtimeData, []), [], binding);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new PlatformException(PlatformError.SimulatorTimeout, $"The simulator at {socketPath} did not answer within {Patience.TotalSeconds} s.");
        }
        catch (SocketException absent)
        {
            throw new PlatformException(PlatformError.SimulatorAbsent, $"No simulator answers at {socketPath} ({absent.SocketErrorCode}). Start one with `cloister simulator`.", absent);
        }
    }

    private async ValueTask<byte[]> AskAsync(byte[] reportData, CancellationToken cancellation)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(SimulatorSocket.EndPoint(socketPath), cancellation);
        await SimulatorWire.WriteAsync(socket, SimulatorWire.Question(reportData), cancellation);
        byte[] answer = await SimulatorWire.ReadFrameAsync(socket, cancellation)
            ?? throw new PlatformException(PlatformError.SimulatorAnswerInvalid, $"The simulator at {socketPath} closed without an answer.");
        return SimulatorWire.ReadAnswer(answer);
    }
}

using Cloister.Attestation;
using Cloister.Platform;

namespace Cloister.Workload.Tests;

/// <summary>Counts the evidence that leaves a workload; may fail, or hold it back.</summary>
internal sealed class CountingIssuer(IEvidenceIssuer inner) : IEvidenceIssuer
{
    private int _issued;

    public int Issued => Volatile.Read(ref _issued);

    /// <summary>What is awaited before evidence is issued.</summary>
    public Func<Task> Before { get; set; } = () => Task.CompletedTask;

    public TeeKind Kind => inner.Kind;

    public bool Simulated => inner.Simulated;

    public async ValueTask<EvidenceSet> IssueAsync(Binding binding, ReadOnlyMemory<byte> runtimeData, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _issued);
        await Before();
        return await inner.IssueAsync(binding, runtimeData, cancellation);
    }
}

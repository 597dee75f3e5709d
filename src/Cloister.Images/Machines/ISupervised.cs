using Cloister.Images.Channel;

namespace Cloister.Images.Machines;

/// <summary>What a supervisor lets other processes of its user do.</summary>
internal interface ISupervised
{
    /// <summary>The machine can be talked to; faulted if it ends before.</summary>
    Task<GuestReady> Ready { get; }

    /// <summary>Starts a program inside.</summary>
    Task<HostExec> ExecAsync(ExecRequest request, CancellationToken cancellation);

    /// <summary>Ends the machine.</summary>
    Task<MachineEnd> StopAsync();
}

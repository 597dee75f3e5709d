using System.Collections.Immutable;
using Cloister.Images;
using Cloister.Images.Channel;

namespace Cloister.Agent.Control;

/// <summary>What leaves the machine for its host: as much as the definition's <see cref="ConsoleOutput"/> allows, and everything from a debug image.</summary>
internal sealed class Reporter(ImageDefinition definition, GuestChannel channel)
{
    /// <summary>Whether starts, ends and refusals are told.</summary>
    public bool TellsEvents => definition.Debug || definition.Console != ConsoleOutput.None;

    /// <summary>Whether what programs write is passed on.</summary>
    public bool TellsOutput => definition.Debug || definition.Console == ConsoleOutput.Programs;

    /// <summary>Tells that something happened.</summary>
    public Task EventAsync(string name, string message, params ReadOnlySpan<(string Name, string Value)> fields)
    {
        if (!TellsEvents) return Task.CompletedTask;
        var given = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (field, value) in fields)
            given[field] = value;
        return SendAsync(new GuestEvent(name, message, given.ToImmutable()));
    }

    /// <summary>Passes on what the program wrote that the machine started by itself.</summary>
    public Task LogAsync(ProgramStream from, ReadOnlyMemory<byte> bytes) => channel.SendLogAsync(from, bytes, CancellationToken.None);

    /// <summary>The machine's last words.</summary>
    public Task StoppedAsync(int? code, string? reason) => TrySendAsync(() =>
        channel.SendStoppedAsync(TellsEvents ? new MachineStopped(code, reason) : new MachineStopped(null), CancellationToken.None));

    private Task SendAsync(GuestEvent happened) => TrySendAsync(() => channel.SendEventAsync(happened, CancellationToken.None));

    // A host that is gone hears nothing; what the machine has to do does not depend on it.
    private static async Task TrySendAsync(Func<Task> send)
    {
        try
        {
            await send();
        }
        catch (ImageException gone) when (gone.Error == ImageError.MachineEnded)
        {
            return;
        }
    }
}

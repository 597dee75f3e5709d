using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Quickstart.Attacks;

/// <summary>A man in the middle who forwards everything faithfully, under a certificate of his own.</summary>
internal sealed class InterceptionAttacks(Stack stack, QuickstartOptions options)
{
    public IEnumerable<Attack> All() =>
    [
        new("a man in the middle of client and coordinator, with his own certificate", cancellation => PredictAsync(stack.ClientAddress, coordinator: true, cancellation)),
        new("a man in the middle of client and workload, with his own certificate", cancellation => PredictAsync(stack.WorkloadAddress, coordinator: false, cancellation)),
        new("a man in the middle of model owner and coordinator waits for the key", ReleaseAsync),
    ];

    private async Task<AttackOutcome> PredictAsync(string victim, bool coordinator, CancellationToken cancellation)
    {
        await using Interceptor middle = await Interceptor.StartAsync(new Uri(victim), cancellation);
        string[] arguments = coordinator
            ? stack.PredictArguments(middle.Address, stack.WorkloadAddress, options.Images)
            : stack.PredictArguments(stack.ClientAddress, middle.Address, options.Images);
        return await RunAsync("the client", arguments, cancellation);
    }

    private async Task<AttackOutcome> ReleaseAsync(CancellationToken cancellation)
    {
        await using Interceptor middle = await Interceptor.StartAsync(new Uri(stack.ClientAddress), cancellation);
        return await RunAsync("the model owner", stack.ReleaseArguments(Path.Combine(stack.Workspace.Owner, "model.key"), middle.Address), cancellation);
    }

    private static async Task<AttackOutcome> RunAsync(string by, string[] arguments, CancellationToken cancellation)
    {
        try
        {
            await Stack.RunAsync(new Step(), arguments, cancellation);
            return AttackOutcome.Accepted(by);
        }
        catch (CommandException refused) when (refused.Code == ExitCode.Refused)
        {
            return AttackOutcome.RefusedBy(by, refused.Message);
        }
    }
}

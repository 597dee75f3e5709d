namespace Cloister.Cli.Quickstart.Attacks;

/// <summary>How an attack ended: who stopped it and in which words, or that nobody did.</summary>
internal sealed record AttackOutcome(bool Refused, string By, string Reason)
{
    public static AttackOutcome RefusedBy(string by, string reason) => new(true, by, reason.ReplaceLineEndings(" "));

    public static AttackOutcome Accepted(string by) => new(false, by, "NOT refused: this is a fault of Cloister, please report it.");
}

/// <summary>One attack on the running stack.</summary>
internal sealed record Attack(string Name, Func<CancellationToken, Task<AttackOutcome>> RunAsync);

/// <summary>Everything that must be refused, tried on the stack that has just predicted.</summary>
internal static class AttackSeries
{
    /// <summary>What is tried where programs attest themselves.</summary>
    public static IEnumerable<Attack> OnPrograms(Stack stack, Story story, QuickstartOptions options) =>
    [
        .. new ProgramAttacks(stack).All(),
        .. new ManifestAttacks(stack).All(),
        .. new ModelAttacks(stack, story).All(),
        .. new ReplayAttacks(stack).All(),
        .. new InterceptionAttacks(stack, options).All(),
    ];

    /// <summary>Whether every attack was refused.</summary>
    public static async Task<bool> RunAsync(IEnumerable<Attack> attacks, Narrator narrator, CancellationToken cancellation)
    {
        bool all = true;
        foreach (Attack attack in attacks)
        {
            long start = TimeProvider.System.GetTimestamp();
            AttackOutcome outcome = await attack.RunAsync(cancellation);
            narrator.Attack(attack.Name, outcome.Refused, outcome.By, outcome.Reason, TimeProvider.System.GetElapsedTime(start).TotalSeconds);
            all &= outcome.Refused;
        }
        return all;
    }
}

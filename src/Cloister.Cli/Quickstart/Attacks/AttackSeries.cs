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
internal sealed class AttackSeries(Stack stack, Story story, QuickstartOptions options, Narrator narrator)
{
    /// <summary>Whether every attack was refused.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellation)
    {
        IEnumerable<Attack> attacks =
        [
            .. new ProgramAttacks(stack).All(),
            .. new ManifestAttacks(stack).All(),
            .. new ModelAttacks(stack, story).All(),
            .. new ReplayAttacks(stack).All(),
            .. new InterceptionAttacks(stack, options).All(),
        ];
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

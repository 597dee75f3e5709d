using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Quickstart.Attacks;

/// <summary>A workload that is not the one in the manifest.</summary>
internal sealed class ProgramAttacks(Stack stack)
{
    public IEnumerable<Attack> All() =>
    [
        new("a changed workload binary asks for activation", ChangedBinaryAsync),
        new("a workload with a policy of the operator's own, for a coordinator of the operator's own", ChangedPolicyAsync),
        new("an unknown workload type asks for activation", UnknownTypeAsync),
    ];

    private async Task<AttackOutcome> ChangedBinaryAsync(CancellationToken cancellation)
    {
        string changed = Path.Combine(stack.Workspace.Operator, "changed-binary");
        Workspace.CopyFolder(stack.Workspace.Workload, changed);
        await using (FileStream library = File.OpenWrite(Path.Combine(changed, "Cloister.Serving.dll")))
        {
            library.Seek(0, SeekOrigin.End);
            library.WriteByte(0);
        }
        return await ServeAsync(changed, stack.ServeArguments(stack.Workspace.Store, "uuid-changed"), cancellation);
    }

    private async Task<AttackOutcome> ChangedPolicyAsync(CancellationToken cancellation)
    {
        string changed = Path.Combine(stack.Workspace.Operator, "changed-policy");
        Workspace.CopyFolder(stack.Workspace.Workload, changed);
        await File.AppendAllTextAsync(Path.Combine(changed, Protocol.Trust.CoordinatorPolicy.FileName), "\n", cancellation);
        return await ServeAsync(changed, stack.ServeArguments(stack.Workspace.Store, "uuid-policy"), cancellation);
    }

    private Task<AttackOutcome> UnknownTypeAsync(CancellationToken cancellation) =>
        ServeAsync(stack.Workspace.Workload, stack.ServeArguments(stack.Workspace.Store, "uuid-unknown", type: "no-such-type"), cancellation);

    private static async Task<AttackOutcome> ServeAsync(string program, string[] arguments, CancellationToken cancellation)
    {
        await using CloisterProcess process = CloisterProcess.Start(Workspace.ExecutableIn(program), arguments);
        try
        {
            await process.WaitForAsync("Activated", cancellation);
            return AttackOutcome.Accepted("the coordinator");
        }
        catch (CommandException refused) when (refused.Code == ExitCode.Refused)
        {
            return AttackOutcome.RefusedBy("the coordinator", refused.Message);
        }
    }
}

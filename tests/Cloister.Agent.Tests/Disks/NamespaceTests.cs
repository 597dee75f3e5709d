using System.Diagnostics;
using Cloister.Agent.Tests.Rig;
using Cloister.Tests.Mesh;

namespace Cloister.Agent.Tests.Disks;

/// <summary>What only the first process of a machine does, in namespaces of its own.</summary>
public sealed class NamespaceTests
{
    [NamespaceFact]
    public async Task Programs_stand_still_and_go_on()
    {
        using var folder = new TemporaryFolder();
        using Process machine = Process.Start("unshare", ["--pid", "--fork", "--mount-proc", "--kill-child", AgentProgram.Path, PauseProgram.Verb, folder.At("counter")]);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        await machine.WaitForExitAsync(patience.Token);
        Assert.Equal(0, machine.ExitCode);
    }

    [NamespaceFact]
    public async Task A_disks_folder_is_made_out_of_sight_and_moved_into_place()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.At("place"));
        using Process machine = Process.Start("unshare", ["--mount", "--propagation", "private", "sh", "-c", "mount -t tmpfs none /run && exec \"$0\" \"$@\"",
            AgentProgram.Path, MountProgram.Verb, folder.At("place")]);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        await machine.WaitForExitAsync(patience.Token);
        Assert.Equal(0, machine.ExitCode);
    }
}

/// <summary>A fact that needs processes of its own, of which one is the first: skipped, with the reason, where the system gives none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NamespaceFactAttribute : FactAttribute
{
    private static readonly string? s_reason = Find();

    public NamespaceFactAttribute() => Skip = s_reason;

    private static string? Find()
    {
        try
        {
            using Process probe = Process.Start(new ProcessStartInfo("unshare", ["--pid", "--fork", "--mount-proc", "true"]) { RedirectStandardError = true })!;
            probe.WaitForExit();
            return probe.ExitCode == 0 ? null : "No process namespace of its own is given here: run as root.";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "No process namespace of its own is given here: unshare is missing.";
        }
    }
}

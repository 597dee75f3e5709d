using Cloister.Attestation;

namespace Cloister.Workload.Tests;

/// <summary>What the tests' executable does when it is started as a workload: activates, says so, and runs the command it was given.</summary>
internal static class WorkloadProgram
{
    /// <summary>Runs a command without an activation: for signals, which the whole process of the tests would get.</summary>
    public const string BareCommand = "bare-command";

    /// <summary>The tests' executable.</summary>
    public static string Path { get; } = System.IO.Path.ChangeExtension(typeof(WorkloadProgram).Assembly.Location, null);

    private static async Task<int> Main(string[] arguments)
    {
        if (arguments is [BareCommand, var command, .. var its])
        {
            using Activation made = TestActivation.Create();
            return await CommandRunner.RunAsync(made, command, its);
        }
        try
        {
            var activator = new WorkloadActivator(WorkloadOptions.FromEnvironment());
            using Activation activation = await activator.ActivateAsync();
            Console.WriteLine($"activated {activation.ManifestFingerprint}");
            int end = Array.IndexOf(arguments, "--");
            return end < 0 ? 0 : await CommandRunner.RunAsync(activation, arguments[end + 1], arguments[(end + 2)..]);
        }
        catch (WorkloadException e)
        {
            Console.WriteLine($"refused {e.Error} {e.Coordinator?.Refused?.Refusal ?? Refusal.None}: {e.Message}");
            return 70;
        }
    }
}

using Cloister.Attestation;

namespace Cloister.Workload.Tests;

/// <summary>What the tests' executable does when it is started as a workload: activates, says so, and runs the command it was given.</summary>
internal static class WorkloadProgram
{
    private static async Task<int> Main(string[] arguments)
    {
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

using Cloister.Agent.Disks;
using Cloister.Images;
using Cloister.Sealing;
using Cloister.Workload;

namespace Cloister.Agent.Programs;

/// <summary>A program's variables: how it joins, over that the definition's, over them what the host may set, over all what the activation grants.</summary>
internal static class EntryEnvironment
{
    private const string SearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>Joins them. Nothing of the agent's own environment is among them.</summary>
    /// <param name="request">What starts.</param>
    /// <param name="joining">Where a program that activates itself finds its coordinator.</param>
    /// <param name="activation">What the coordinator grants; null if nothing was activated.</param>
    /// <param name="definition">Whose disks' keys are kept back.</param>
    /// <exception cref="WorkloadException">A granted variable cannot be one.</exception>
    public static ProgramEnvironment Build(EntryRequest request, IReadOnlyDictionary<string, string> joining, Activation? activation, ImageDefinition definition)
    {
        var environment = new ProgramEnvironment();
        try
        {
            environment.Set("PATH", SearchPath);
            IEnumerable<KeyValuePair<string, string>> fixedOnes = request.Entry is { } entry ? entry.Environment : [];
            foreach (var (name, value) in joining.Concat(fixedOnes).Concat(request.Environment))
                environment.Set(name, value);
            if (activation is null) return environment;
            Grant(environment, activation, definition);
            return environment;
        }
        catch
        {
            environment.Dispose();
            throw;
        }
    }

    private static void Grant(ProgramEnvironment environment, Activation activation, ImageDefinition definition)
    {
        Dictionary<string, SecretBytes> granted = GrantedEnvironment.Of(activation);
        try
        {
            foreach (var (name, value) in granted.Where(variable => !DiskKeyText.IsVariable(definition, variable.Key)))
                environment.Set(name, value.Span);
        }
        finally
        {
            foreach (SecretBytes value in granted.Values)
                value.Dispose();
        }
    }
}

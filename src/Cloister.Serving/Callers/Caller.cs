namespace Cloister.Serving.Callers;

/// <summary>Somebody whom the manifest names, recognised on this request.</summary>
internal sealed class Caller(string name, IEnumerable<string> models)
{
    private readonly HashSet<string> _models = new(models, StringComparer.Ordinal);

    /// <summary>The caller's name in the manifest.</summary>
    public string Name { get; } = name;

    public bool MayUse(string model) => _models.Contains(model);
}

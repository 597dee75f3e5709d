using System.Collections.Immutable;

namespace Cloister.Serving.Repository;

/// <summary>What is to be served, of what the activation grants: an operator's configuration, never a right.</summary>
/// <param name="Models">One entry a model, their names distinct.</param>
internal sealed record ServingPlan(ImmutableArray<ModelPlan> Models)
{
    /// <summary>The newest version of each of these models.</summary>
    public static ServingPlan Everything(ImmutableArray<string> names) => new([.. names.Select(ModelPlan.Newest)]);

    /// <summary>How a model is to be served; null if it is not.</summary>
    public ModelPlan? Find(string name) => Models.FirstOrDefault(model => string.Equals(model.Name, name, StringComparison.Ordinal));
}

/// <summary>How one model is to be served.</summary>
/// <param name="Name">Its name in the manifest.</param>
/// <param name="BasePath">The folder of its versions; null for its place in the store.</param>
/// <param name="Versions">Which of the versions that lie there.</param>
/// <param name="Labels">Names of versions.</param>
internal sealed record ModelPlan(string Name, string? BasePath, VersionPolicy Versions, ImmutableDictionary<string, long> Labels)
{
    /// <summary>The newest version, from the model's place in the store.</summary>
    public static ModelPlan Newest(string name) => new(name, null, new VersionPolicy.Latest(1), ImmutableDictionary<string, long>.Empty);
}

/// <summary>Which versions of a model are served (tensorflow/serving, file_system_storage_path_source.proto, <c>ServableVersionPolicy</c>).</summary>
internal abstract record VersionPolicy
{
    private VersionPolicy()
    {
    }

    /// <summary>The <paramref name="Count"/> newest, at least one.</summary>
    public sealed record Latest(int Count) : VersionPolicy;

    /// <summary>All that lie there.</summary>
    public sealed record All : VersionPolicy;

    /// <summary>Those that are named.</summary>
    public sealed record Specific(ImmutableArray<long> Numbers) : VersionPolicy;
}

using Cloister.Serving.Repository;

namespace Cloister.Serving.TensorFlow;

/// <summary>Where a model's versions stand, as TF Serving tells it: the newest first. A label is not looked at, as there.</summary>
internal static class ModelStatuses
{
    /// <exception cref="ServingException">There is no such model or version.</exception>
    public static IReadOnlyList<VersionStatus> Of(ModelRepository repository, string model, VersionChoice choice)
    {
        VersionStatus[] all = [.. Find(repository, model).Versions.Reverse()];
        if (choice.Number is not { } number) return all;
        VersionStatus[] one = [.. all.Where(status => status.Version == number)];
        return one.Length > 0 ? one : throw new ServingException(ServingError.VersionNotFound, $"Could not find version {number} of model {model}");
    }

    private static ModelSlot Find(ModelRepository repository, string model)
    {
        try
        {
            return repository.Find(model);
        }
        catch (ServingException unknown) when (unknown.Error == ServingError.ModelNotFound)
        {
            throw new ServingException(ServingError.ModelNotFound, $"Could not find any versions of model {model}", unknown);
        }
    }

    /// <summary>The state's name in TF Serving's documents.</summary>
    public static string Name(ModelVersionState state) => state switch
    {
        ModelVersionState.Start => "START",
        ModelVersionState.Loading => "LOADING",
        ModelVersionState.Available => "AVAILABLE",
        ModelVersionState.Unloading => "UNLOADING",
        _ => "END",
    };
}

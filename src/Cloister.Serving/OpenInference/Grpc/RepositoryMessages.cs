using System.Globalization;
using Cloister.Serving.OpenInference.Grpc.Wire;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.OpenInference.Grpc;

/// <summary>Triton's model repository extension over gRPC; its rules are those of <see cref="RepositoryDocuments"/>.</summary>
internal static class RepositoryMessages
{
    /// <summary>Every version of every model, and where it stands. As open as a model's readiness.</summary>
    /// <exception cref="ServingException">The request names a repository.</exception>
    public static RepositoryIndexResponse Index(PredictionService service, RepositoryIndexRequest request)
    {
        DemandNoRepository(request.RepositoryName);
        var answer = new RepositoryIndexResponse();
        foreach (ModelSlot model in service.Repository.Slots)
            foreach (VersionStatus version in model.Versions)
                if (!request.Ready || version.State == ModelVersionState.Available)
                    answer.Models.Add(new RepositoryIndexResponse.Types.ModelIndex
                    {
                        Name = model.Name,
                        Version = version.Version > 0 ? version.Version.ToString(CultureInfo.InvariantCulture) : "",
                        State = RepositoryDocuments.StateOf(version.State),
                        Reason = RepositoryDocuments.ReasonOf(version),
                    });
        return answer;
    }

    /// <exception cref="ServingException">The caller may not load models, or the request brings a model or a configuration of its own.</exception>
    public static async ValueTask<IMessage> LoadAsync(HttpContext http, PredictionService service, RepositoryModelLoadRequest request, CancellationToken cancellation)
    {
        service.DemandControl(http, request.ModelName);
        DemandNoRepository(request.RepositoryName);
        foreach (string name in request.Parameters.Keys) RepositoryDocuments.OfLoad(name);
        await ModelControl.LoadAsync(http, service, request.ModelName, cancellation);
        return new RepositoryModelLoadResponse();
    }

    /// <exception cref="ServingException">The caller may not unload models.</exception>
    public static async ValueTask<IMessage> UnloadAsync(HttpContext http, PredictionService service, RepositoryModelUnloadRequest request, CancellationToken cancellation)
    {
        service.DemandControl(http, request.ModelName);
        DemandNoRepository(request.RepositoryName);
        foreach ((string name, ModelRepositoryParameter value) in request.Parameters) RepositoryDocuments.OfUnload(name, Of(value));
        await ModelControl.UnloadAsync(http, service, request.ModelName, cancellation);
        return new RepositoryModelUnloadResponse();
    }

    private static void DemandNoRepository(string name)
    {
        if (name.Length > 0) throw new ServingException(ServingError.SettingRefused, "There is one repository, and it has no name: leave 'repository_name' out.");
    }

    private static ParameterValue Of(ModelRepositoryParameter value) => value.ParameterChoiceCase switch
    {
        ModelRepositoryParameter.ParameterChoiceOneofCase.BoolParam => ParameterValue.Of(value.BoolParam),
        ModelRepositoryParameter.ParameterChoiceOneofCase.Int64Param => ParameterValue.Of(value.Int64Param),
        _ => ParameterValue.Of(value.StringParam),
    };
}

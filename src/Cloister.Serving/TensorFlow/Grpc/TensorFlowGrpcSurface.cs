using Cloister.Protocol.Grpc;
using Cloister.Serving.Surfaces;
using Cloister.Serving.TensorFlow.Messages;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Serving.TensorFlow.Grpc;

/// <summary>TF Serving's gRPC API: PredictionService and ModelService (tensorflow_serving/apis).</summary>
/// <param name="options">Bounds of the methods.</param>
/// <param name="asContent">Whether answers hold their values in <c>tensor_content</c>, as TF Serving does where it is told to.</param>
internal sealed class TensorFlowGrpcSurface(GrpcServerOptions options, bool asContent) : IServingSurface
{
    private const string Prediction = "/tensorflow.serving.PredictionService/", Model = "/tensorflow.serving.ModelService/";

    /// <summary>What reflection tells of the services.</summary>
    public static FileDescriptor Descriptor => ServingReflection.Descriptor;

    public void Map(IEndpointRouteBuilder routes, PredictionService service)
    {
        var surface = new GrpcSurface("tensorflow-grpc", service, options);
        var prediction = new PredictionMethods(service, asContent);
        var models = new ModelMethods(service);
        void Map(string path, GrpcUnaryHandler handler) => surface.MapUnary(routes, path, GrpcModels.Bounded(handler));
        Map(Prediction + "Predict", prediction.PredictAsync);
        Map(Prediction + "Classify", prediction.ClassifyAsync);
        Map(Prediction + "Regress", prediction.RegressAsync);
        Map(Prediction + "MultiInference", new MultiInferenceMethod(service).AnswerAsync);
        Map(Prediction + "GetModelMetadata", prediction.GetModelMetadataAsync);
        Map(Model + "GetModelStatus", models.GetModelStatusAsync);
        Map(Model + "HandleReloadConfigRequest", models.HandleReloadConfigRequestAsync);
    }
}

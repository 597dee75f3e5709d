using Cloister.Serving.Engines;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.TensorFlow.Examples;

/// <summary>Runs a model on examples.</summary>
internal static class ExampleInference
{
    /// <exception cref="ServingException">The examples do not fit the model, or the engine refuses.</exception>
    public static async Task<Prediction> RunAsync(HttpContext http, PredictionService service, ModelLease lease, ExampleBatch batch, TimeSpan? timeout, CancellationToken cancellation)
    {
        Tensor[] inputs = batch.ToTensors(service.Pool);
        try
        {
            return await service.PredictAsync(http, lease, inputs, timeout, cancellation);
        }
        finally
        {
            foreach (Tensor input in inputs) input.Dispose();
        }
    }
}

using System.Buffers;
using Cloister.Protocol.Grpc;
using Cloister.Serving.Engines;
using Cloister.Serving.ProtocolBuffers;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;
using Cloister.Serving.TensorFlow.Examples;
using Cloister.Serving.TensorFlow.Messages;
using Google.Protobuf;

namespace Cloister.Serving.TensorFlow.Grpc;

/// <summary><c>PredictionService.MultiInference</c>: one run of a model, its outputs told as classes and as values (tensorflow/serving, multi_inference.cc).</summary>
internal sealed class MultiInferenceMethod(PredictionService service)
{
    private const int MostTasks = 16;

    public async ValueTask AnswerAsync(GrpcCallContext context, ReadOnlySequence<byte> request, IBufferWriter<byte> response, CancellationToken cancellation)
    {
        List<InferenceTask> tasks = ReadTasks(request);
        RequestedModel asked = GrpcModels.Demand(tasks.Count > 0 ? RequestedModel.Of(tasks[0].ModelSpec) ?? new RequestedModel() : new RequestedModel());
        using ModelLease lease = GrpcModels.Admit(service, context, asked);
        int[] outputs = Demand(tasks, lease.Model);
        ExampleBatch batch = ExampleInput.Read(request, 2, lease.Model);
        using Prediction prediction = await ExampleInference.RunAsync(context.Http, service, lease, batch, null, cancellation);
        var answer = new MultiInferenceResponse();
        for (int i = 0; i < outputs.Length; i++) answer.Results.Add(Result(tasks[i], lease.Model, prediction.Outputs[outputs[i]], batch.Count));
        answer.WriteTo(response);
    }

    private static InferenceResult Result(InferenceTask task, ServedModel model, Tensor output, int examples)
    {
        var result = new InferenceResult { ModelSpec = RequestedModel.Answer(model, task.ModelSpec.SignatureName) };
        if (task.MethodName == ModelSignatures.ClassifyMethod) result.ClassificationResult = GrpcResults.Classes(model, output, examples);
        else result.RegressionResult = GrpcResults.Values(output, examples);
        return result;
    }

    private static int[] Demand(List<InferenceTask> tasks, ServedModel model)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var outputs = new int[tasks.Count];
        for (int i = 0; i < outputs.Length; i++)
        {
            ModelSpec asked = tasks[i].ModelSpec ?? new ModelSpec();
            if (asked.Name.Length == 0) throw Refused("Found ModelSpec with an empty model name.");
            if (asked.Name != model.Name) throw Refused("All ModelSpecs in a MultiInferenceRequest must access the same model name.");
            string signature = asked.SignatureName.Length == 0 ? ModelSignatures.Default : asked.SignatureName;
            if (!seen.Add(signature)) throw Refused($"Duplicate evaluation of signature: {signature}");
            if (!ModelSignatures.IsClassify(signature) && !ModelSignatures.IsRegress(signature)) throw Refused($"Requested signature not found in model graph: {signature}");
            outputs[i] = tasks[i].MethodName switch
            {
                ModelSignatures.ClassifyMethod => ExampleResults.DemandClassify(model, signature),
                ModelSignatures.RegressMethod => ExampleResults.DemandRegress(model, signature),
                string other => throw new ServingException(ServingError.Unsupported, $"Unsupported signature method_name: {other}"),
            };
        }
        return outputs;
    }

    // The examples, which are most of the message, are not made objects of.
    private static List<InferenceTask> ReadTasks(in ReadOnlySequence<byte> request)
    {
        var tasks = new List<InferenceTask>();
        var reader = new WireReader(request);
        while (reader.Next(out int field, out WireType type))
        {
            if (field != 1)
            {
                reader.Skip(type);
                continue;
            }
            WireReader.Demand(field, type, WireType.Bytes);
            if (tasks.Count == MostTasks) throw Refused($"A request has at most {MostTasks} tasks.");
            tasks.Add(GrpcMessages.Parse(InferenceTask.Parser, reader.Bytes()));
        }
        return tasks;
    }

    private static ServingException Refused(string reason) => new(ServingError.InvalidRequest, reason);
}

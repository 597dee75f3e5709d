using System.Buffers;
using Cloister.Protocol.Grpc;
using Cloister.Serving.Engines;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;
using Cloister.Serving.TensorFlow.Examples;
using Cloister.Serving.TensorFlow.Messages;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Cloister.Serving.TensorFlow.Grpc;

/// <summary><c>tensorflow.serving.PredictionService</c> but for MultiInference.</summary>
/// <param name="service">What every surface does alike.</param>
/// <param name="asContent">Whether answers hold their values in <c>tensor_content</c>.</param>
internal sealed class PredictionMethods(PredictionService service, bool asContent)
{
    private const string SignatureField = "signature_def";

    public async ValueTask PredictAsync(GrpcCallContext context, ReadOnlySequence<byte> request, IBufferWriter<byte> response, CancellationToken cancellation)
    {
        RequestedModel asked = GrpcModels.Demand(PredictMessage.ReadModel(request));
        using ModelLease lease = GrpcModels.Admit(service, context, asked);
        context.Uncompressed = lease.Model.Engine.AnswersInOneSize;
        if (!ModelSignatures.IsPredict(asked.Signature)) throw new ServingException(ServingError.SignatureNotFound, $"Serving signature key \"{asked.Signature}\" not found.");
        var inputs = new Tensor?[lease.Model.Engine.Inputs.Count];
        try
        {
            int[] wanted = PredictMessage.ReadTensors(request, lease.Model, service.Pool, inputs);
            using Prediction prediction = await service.PredictAsync(context.Http, lease, inputs!, null, cancellation);
            PredictMessage.Write(response, lease.Model, asked.Signature, prediction.Outputs, wanted, asContent);
        }
        finally
        {
            foreach (Tensor? input in inputs) input?.Dispose();
        }
    }

    public async ValueTask ClassifyAsync(GrpcCallContext context, ReadOnlySequence<byte> request, IBufferWriter<byte> response, CancellationToken cancellation)
    {
        RequestedModel asked = GrpcModels.Demand(PredictMessage.ReadModel(request));
        using ModelLease lease = GrpcModels.Admit(service, context, asked);
        int output = ExampleResults.DemandClassify(lease.Model, asked.Signature);
        ExampleBatch batch = ExampleInput.Read(request, 2, lease.Model);
        using Prediction prediction = await ExampleInference.RunAsync(context.Http, service, lease, batch, null, cancellation);
        new ClassificationResponse
        {
            ModelSpec = RequestedModel.Answer(lease.Model, asked.Signature),
            Result = GrpcResults.Classes(lease.Model, prediction.Outputs[output], batch.Count),
        }.WriteTo(response);
    }

    public async ValueTask RegressAsync(GrpcCallContext context, ReadOnlySequence<byte> request, IBufferWriter<byte> response, CancellationToken cancellation)
    {
        RequestedModel asked = GrpcModels.Demand(PredictMessage.ReadModel(request));
        using ModelLease lease = GrpcModels.Admit(service, context, asked);
        int output = ExampleResults.DemandRegress(lease.Model, asked.Signature);
        ExampleBatch batch = ExampleInput.Read(request, 2, lease.Model);
        using Prediction prediction = await ExampleInference.RunAsync(context.Http, service, lease, batch, null, cancellation);
        new RegressionResponse
        {
            ModelSpec = RequestedModel.Answer(lease.Model, asked.Signature),
            Result = GrpcResults.Values(prediction.Outputs[output], batch.Count),
        }.WriteTo(response);
    }

    public ValueTask GetModelMetadataAsync(GrpcCallContext context, ReadOnlySequence<byte> request, IBufferWriter<byte> response, CancellationToken cancellation)
    {
        GetModelMetadataRequest message = GrpcMessages.Parse(GetModelMetadataRequest.Parser, request);
        if (message.ModelSpec is null) throw GrpcModels.Missing();
        if (message.MetadataField.Count == 0) throw new ServingException(ServingError.InvalidRequest, "GetModelMetadataRequest must specify at least one metadata_field");
        foreach (string field in message.MetadataField)
            if (field != SignatureField) throw new ServingException(ServingError.InvalidRequest, $"Metadata field {field} is not supported");
        RequestedModel asked = GrpcModels.Demand(RequestedModel.Of(message.ModelSpec));
        using ModelLease lease = GrpcModels.Open(service, context, asked);
        new GetModelMetadataResponse
        {
            ModelSpec = RequestedModel.Answer(lease.Model, null),
            Metadata = { [SignatureField] = Any.Pack(GrpcResults.Signatures(lease.Model)) },
        }.WriteTo(response);
        return ValueTask.CompletedTask;
    }
}

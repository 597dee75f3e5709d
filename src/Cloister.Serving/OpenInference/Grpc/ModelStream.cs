using System.Buffers;
using Cloister.Protocol.Grpc;
using Cloister.Serving.Engines;
using Cloister.Serving.ProtocolBuffers;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;

namespace Cloister.Serving.OpenInference.Grpc;

/// <summary>
/// Serves <c>ModelStreamInfer</c>: one answer a request, in their order. A request that is refused is answered with its reason and the
/// stream goes on; one that cannot be read ends it.
/// </summary>
internal sealed class ModelStream(string name, GrpcSurface surface, PredictionService service)
{
    public async Task ServeAsync(GrpcCallContext context, GrpcMessageReader requests, GrpcMessageWriter responses, CancellationToken cancellation)
    {
        while (await requests.MoveNextAsync(cancellation))
        {
            RequestRecord record = service.Begin(context.Http, name, "ModelStreamInfer");
            record.BytesIn = requests.Current.Length;
            try
            {
                await AnswerAsync(context, requests.Current, responses, record, cancellation);
            }
            catch (Exception failure)
            {
                Exception refused = surface.Refuse(failure, record, context.Http, cancellation);
                if (failure is not ServingException || refused is not GrpcException refusal) throw refused;
                await responses.WriteAsync(refusal.Detail, static (reason, output) => WireWriter.Text(output, ModelInferFields.ErrorMessage, reason), cancellation);
            }
            finally
            {
                service.End(record);
            }
        }
    }

    private async Task AnswerAsync(GrpcCallContext context, ReadOnlySequence<byte> message, GrpcMessageWriter responses, RequestRecord record, CancellationToken cancellation)
    {
        ModelAddress address = ModelAddress.Read(message);
        using ModelLease lease = service.Admit(context.Http, address.Model, address.Choice);
        context.Uncompressed = lease.Model.Engine.AnswersInOneSize;
        using InferRequest request = ModelInferReader.Read(message, address, lease.Model, service.Pool);
        using Prediction prediction = await service.PredictAsync(context.Http, lease, request.Inputs!, request.Timeout, cancellation);
        var answer = new ModelInferAnswer(request, prediction.Outputs);
        long size = answer.Measure();
        record.BytesOut = WireWriter.SizeOfBytes(ModelInferFields.InferResponse, size);
        await responses.WriteAsync((answer, size), static (sized, output) =>
        {
            WireWriter.BytesHeader(output, ModelInferFields.InferResponse, sized.size);
            sized.answer.Write(output);
        }, cancellation);
    }
}

using System.Buffers;
using System.Buffers.Binary;
using Cloister.Onnx.Runtime;
using Cloister.Onnx.Pictures;
using Cloister.Protocol.Grpc;
using Cloister.Serving.Engines;
using Cloister.Serving.OpenInference;
using Cloister.Serving.OpenInference.Grpc;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow;
using Cloister.Serving.TensorFlow.Examples;
using Cloister.Serving.TensorFlow.Grpc;

namespace Cloister.Serving.Fuzzing;

/// <summary>
/// Targets for fuzzing the request readers against a model with an input of every kind. Anything but a
/// <see cref="ServingException"/> is a fault; what is accepted must fit the model.
/// </summary>
internal static class RequestFuzzing
{
    private static readonly Shape Model = new(
        new("a", TensorElementType.Float, [-1, 2]), new("t", TensorElementType.String, [-1]),
        new("i", TensorElementType.Int64, [-1]), new("p", TensorElementType.Float, [-1, 3, 2, 2]));

    private static readonly Shape Single = new(new TensorInfo("s", TensorElementType.Float, [-1, 3, 2, 2]));

    /// <summary>Reads a body as an Open Inference Protocol request.</summary>
    public static void OpenInference(ReadOnlySpan<byte> body)
    {
        using var pool = new TensorPool(1 << 20);
        try
        {
            using InferRequest request = InferRequestReader.Read(body, Model.Served, pool);
            Demand(request.Inputs, Model);
        }
        catch (ServingException)
        {
            // The documented refusal.
        }
    }

    /// <summary>
    /// Reads a body of the binary tensor data extension: two bytes with the length of its JSON, one with the size of the parts in
    /// which it comes, then the body. Without JSON it is the data of a model of one input.
    /// </summary>
    public static void OpenInferenceBinary(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 3) return;
        int headerLength = BinaryPrimitives.ReadUInt16LittleEndian(bytes), part = bytes[2] + 1;
        ReadOnlySpan<byte> body = bytes[3..];
        using var pool = new TensorPool(1 << 20);
        try
        {
            if (headerLength == 0)
            {
                using InferRequest raw = RawRequest.Read(body, Single.Served, pool);
                Demand(raw.Inputs, Single);
                return;
            }
            using var binary = new BinaryRequest(Model.Served, pool, headerLength, part % 2 == 0 ? body.Length : null);
            for (int at = 0; at < body.Length; at += part) binary.Append(body.Slice(at, Math.Min(part, body.Length - at)));
            using InferRequest request = binary.Complete();
            Demand(request.Inputs, Model);
        }
        catch (ServingException)
        {
            // The documented refusal.
        }
    }

    /// <summary>Reads a message as a <c>ModelInferRequest</c> that comes in parts: the first byte says how long they are.</summary>
    /// <returns>Whether it is accepted.</returns>
    public static bool ModelInfer(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return false;
        using var pool = new TensorPool(1 << 20);
        try
        {
            ReadOnlySequence<byte> message = MessageParts.Cut(data[1..], data[0]);
            using InferRequest request = ModelInferReader.Read(message, ModelAddress.Read(message), Model.Served, pool);
            Demand(request.Inputs, Model);
            return true;
        }
        catch (Exception refusal) when (refusal is ServingException or GrpcException { Status: GrpcStatus.Internal })
        {
            // The documented refusal: of what is asked, or of bytes that are no message.
            return false;
        }
    }

    /// <summary>Reads a body as each request of the model repository extension.</summary>
    public static void Repository(ReadOnlySpan<byte> body)
    {
        for (int kind = 0; kind < 3; kind++)
        {
            try
            {
                if (kind == 0) RepositoryDocuments.ReadIndex(body);
                else if (kind == 1) RepositoryDocuments.ReadLoad(body);
                else RepositoryDocuments.ReadUnload(body);
            }
            catch (ServingException)
            {
                // The documented refusal.
            }
        }
    }

    /// <summary>Reads a body as a TF Serving predict request.</summary>
    public static void TensorFlow(ReadOnlySpan<byte> body)
    {
        using var pool = new TensorPool(1 << 20);
        try
        {
            using PredictRequest request = PredictRequestReader.Read(body, Model.Served, pool);
            Demand(request.Inputs, Model);
            // Two readers of the same language: what the quick one takes, the one that explains refusals takes too.
            if (PredictRefusal.Find(body, Model.Served) is { } reason) throw new InvalidOperationException("Accepted, but TF Serving says: " + reason);
        }
        catch (ServingException)
        {
            // The documented refusal.
        }
    }

    /// <summary>Reads a body as a TF Serving classify or regress request.</summary>
    public static void Examples(ReadOnlySpan<byte> body)
    {
        using var pool = new TensorPool(1 << 20);
        try
        {
            Tensor[] inputs = ExampleRequestReader.Read(body, Model.Served, out _).ToTensors(pool);
            Demand(inputs, Model);
            foreach (Tensor input in inputs) input.Dispose();
        }
        catch (ServingException)
        {
            // The documented refusal.
        }
    }

    /// <summary>Reads bytes as TF Serving's <c>PredictRequest</c>.</summary>
    public static void PredictMessages(ReadOnlySpan<byte> message) => Messages(message, static (bytes, pool) =>
    {
        var inputs = new Tensor?[Model.Inputs.Count];
        try
        {
            PredictMessage.ReadModel(bytes);
            PredictMessage.ReadTensors(bytes, Model.Served, pool, inputs);
            Demand(inputs, Model);
        }
        finally
        {
            foreach (Tensor? input in inputs) input?.Dispose();
        }
    });

    /// <summary>Reads bytes as a request of TF Serving with examples in its second field.</summary>
    public static void ExampleMessages(ReadOnlySpan<byte> message) => Messages(message, static (bytes, pool) =>
    {
        Tensor[] inputs = ExampleInput.Read(bytes, 2, Model.Served).ToTensors(pool);
        Demand(inputs, Model);
        foreach (Tensor input in inputs) input.Dispose();
    });

    private static void Messages(ReadOnlySpan<byte> message, Action<ReadOnlySequence<byte>, TensorPool> read)
    {
        using var pool = new TensorPool(1 << 20);
        try
        {
            read(new ReadOnlySequence<byte>(message.ToArray()), pool);
        }
        catch (Exception refusal) when (refusal is ServingException or GrpcException { Status: GrpcStatus.Internal })
        {
            // The documented refusals.
        }
    }

    private static void Demand(Tensor?[] inputs, Shape model)
    {
        for (int i = 0; i < inputs.Length; i++)
            if (model.Inputs[i].Mismatch(inputs[i]!.Type, inputs[i]!.Shape) is { } problem) throw new InvalidOperationException("Accepted, but " + problem);
    }

    /// <summary>A model of shapes alone.</summary>
    private sealed class Shape : IModelEngine
    {
        public Shape(params TensorInfo[] inputs)
        {
            Inputs = inputs;
            Served = new ServedModel("fuzzed", 1, this, new ModelConfiguration { Preprocess = Preprocessing.Parse("unit") }, null, 1 << 20);
        }

        public ServedModel Served { get; }

        public string Platform => "none";

        public IReadOnlyList<TensorInfo> Inputs { get; }

        public IReadOnlyList<TensorInfo> Outputs { get; } = [new("y", TensorElementType.Float, [-1])];

        public bool IsOverloaded(out TimeSpan retryAfter)
        {
            retryAfter = TimeSpan.Zero;
            return false;
        }

        public Task<Prediction> PredictAsync(IReadOnlyList<Tensor> inputs, TimeSpan timeout, CancellationToken cancellation) => Task.FromResult(new Prediction([], default, default));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

using System.Collections.Immutable;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning;
using Cloister.Serving.Engines;
using Cloister.Serving.OpenInference;

namespace Cloister.Serving.Repository;

/// <summary>
/// What a version answers before anybody else may ask it: the maker's own requests, the sealed entry <c>warmup.jsonl</c>, one request of the
/// Open Inference Protocol a line, or, if its configuration says so, zeros. A version that fails is refused.
/// </summary>
internal sealed class WarmUp
{
    /// <summary>The largest <c>warmup.jsonl</c>, in bytes.</summary>
    public const int MaximumBytes = 16 << 20;

    /// <summary>The most requests in it, as in TF Serving's <c>tf_serving_warmup_requests</c>.</summary>
    public const int MaximumRequests = 1000;

    private readonly ImmutableArray<ReadOnlyMemory<byte>> _requests;
    private readonly bool _zeros;

    private WarmUp(ImmutableArray<ReadOnlyMemory<byte>> requests, bool zeros) => (_requests, _zeros) = (requests, zeros);

    /// <summary>Whether anything is asked at all.</summary>
    public bool IsAsked => _zeros || _requests.Length > 0;

    /// <summary>Splits the entry into its lines; an empty line counts for nothing.</summary>
    /// <param name="entry">The bytes of <c>warmup.jsonl</c>; empty if there is none.</param>
    /// <param name="zeros">Whether zeros are asked besides.</param>
    /// <exception cref="ServingException"><see cref="ServingError.WarmUpFailed"/>: there are too many requests.</exception>
    public static WarmUp Read(ReadOnlyMemory<byte> entry, bool zeros)
    {
        var requests = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        foreach (Range line in entry.Span.Split((byte)'\n'))
        {
            ReadOnlyMemory<byte> request = entry[line];
            if (request.Span.Trim(" \t\r"u8).IsEmpty) continue;
            if (requests.Count == MaximumRequests) throw new ServingException(ServingError.WarmUpFailed, $"warmup.jsonl is refused: it has more than {MaximumRequests} requests.");
            requests.Add(request);
        }
        return new WarmUp(requests.ToImmutable(), zeros);
    }

    /// <summary>Asks the version everything.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.WarmUpFailed"/>, or <see cref="ServingError.AcceleratorFailed"/>, with the request and the reason.</exception>
    public async Task RunAsync(ServedModel model, TensorPool pool, TimeSpan timeout, CancellationToken cancellation)
    {
        if (_zeros) await AskAsync("Zeros of the model's shapes", () => Zeros(model, pool), model, timeout, cancellation);
        for (int i = 0; i < _requests.Length; i++)
        {
            ReadOnlyMemory<byte> request = _requests[i];
            await AskAsync($"Request {i + 1} of warmup.jsonl", () => Parse(request.Span, model, pool), model, timeout, cancellation);
        }
    }

    internal static void Fuzz(ReadOnlySpan<byte> entry)
    {
        try
        {
            Read(entry.ToArray(), zeros: false);
        }
        catch (ServingException refusal) when (refusal.Error == ServingError.WarmUpFailed)
        {
            // The documented refusal; each line is read as a request, which has a target of its own.
        }
    }

    private static async Task AskAsync(string what, Func<Tensor?[]> read, ServedModel model, TimeSpan timeout, CancellationToken cancellation)
    {
        Tensor?[] inputs = [];
        try
        {
            inputs = read();
            using Prediction prediction = await model.Engine.PredictAsync(inputs!, timeout, cancellation);
        }
        catch (ServingException refusal) when (refusal.Error is not (ServingError.Cancelled or ServingError.Stopping))
        {
            throw new ServingException(IsPassing(refusal) ? ServingError.AcceleratorFailed : ServingError.WarmUpFailed, $"{what} failed: {refusal.Message}", refusal);
        }
        finally
        {
            foreach (Tensor? input in inputs) input?.Dispose();
        }
    }

    // What accelerators outside did or left undone says nothing about the version: it is to be tried again.
    private static bool IsPassing(ServingException refusal) =>
        refusal.Error == ServingError.AcceleratorFailed || refusal is { Error: ServingError.DeadlineExceeded, InnerException: PartitioningException };

    private static Tensor?[] Parse(ReadOnlySpan<byte> request, ServedModel model, TensorPool pool) => InferRequestReader.Read(request, model, pool).Inputs;

    // A dimension that is the caller's to choose is one.
    private static Tensor?[] Zeros(ServedModel model, TensorPool pool) => [.. model.Engine.Inputs.Select(input =>
    {
        long[] shape = [.. input.Shape.Select(dimension => dimension < 0 ? 1 : dimension)];
        long count = shape.Aggregate(1L, (product, dimension) => checked(product * dimension));
        return input.Type == TensorElementType.String
            ? Tensor.FromTexts([.. Enumerable.Repeat("", checked((int)count))], shape)
            : new Tensor(input.Type, shape, pool.Rent(Math.Max(1, input.Type.ByteLength(count))));
    })];
}

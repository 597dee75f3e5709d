using System.Globalization;
using System.IO.Pipelines;
using Cloister.Serving.Engines;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Cloister.Serving.OpenInference;

/// <summary>Reads the body of an inference request: JSON, JSON with binary data after it, or binary data alone.</summary>
internal static class InferBody
{
    public const string HeaderLength = "Inference-Header-Content-Length";

    /// <summary>Reads it; the caller disposes the request.</summary>
    /// <exception cref="ServingException">It is not a request that the model can answer.</exception>
    /// <exception cref="BadHttpRequestException">The client was too slow, or sent less than it said.</exception>
    public static async ValueTask<InferRequest> ReadAsync(HttpContext http, ServedModel model, TensorPool pool)
    {
        long? header = HeaderLengthOf(http.Request.Headers[HeaderLength]);
        if (header is > 0 && http.Request.Headers[HeaderNames.ContentEncoding].Count == 0) return await StreamAsync(http, model, pool, header.Value);
        using RequestBody body = await RequestBody.ReadAsync(http, model.MaximumRequestBytes);
        if (header is null) return InferRequestReader.Read(body.Span, model, pool);
        if (header == 0) return RawRequest.Read(body.Span, model, pool);
        using var binary = new BinaryRequest(model, pool, header.Value, body.Length);
        binary.Append(body.Span);
        return binary.Complete();
    }

    private static async ValueTask<InferRequest> StreamAsync(HttpContext http, ServedModel model, TensorPool pool, long header)
    {
        RequestBody.Demand(http, model.MaximumRequestBytes);
        using var binary = new BinaryRequest(model, pool, header, http.Request.ContentLength);
        PipeReader reader = http.Request.BodyReader;
        while (true)
        {
            ReadResult read = await reader.ReadAsync(http.RequestAborted);
            try
            {
                foreach (ReadOnlyMemory<byte> part in read.Buffer) binary.Append(part.Span);
            }
            finally
            {
                reader.AdvanceTo(read.Buffer.End);
            }
            if (read.IsCompleted) return binary.Complete();
        }
    }

    private static long? HeaderLengthOf(StringValues values) => values.Count == 0
        ? null
        : values.Count == 1 && long.TryParse(values[0], NumberStyles.None, CultureInfo.InvariantCulture, out long length)
            ? length
            : throw new ServingException(ServingError.BinaryDataRefused, $"{HeaderLength} must be one whole number: the bytes of JSON that the body begins with.");
}

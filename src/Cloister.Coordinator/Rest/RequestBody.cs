using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Cloister.Coordinator.Rest;

/// <summary>Reads a whole body within a bound.</summary>
internal static class RequestBody
{
    /// <exception cref="CoordinatorException">TooLarge, TooSlow, WrongContentType, BadRequest.</exception>
    public static async Task<byte[]> ReadAsync(HttpContext http, int maxBytes, bool requireJson)
    {
        if (requireJson && !IsJson(http.Request.ContentType))
            throw new CoordinatorException(CoordinatorError.WrongContentType, "The body must come as content-type application/json.");
        if (http.Request.ContentLength > maxBytes)
            throw TooLarge(maxBytes);
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = maxBytes;
        try
        {
            PipeReader reader = http.Request.BodyReader;
            while (true)
            {
                ReadResult read = await reader.ReadAsync(http.RequestAborted);
                if (read.Buffer.Length > maxBytes)
                    throw TooLarge(maxBytes);
                if (read.IsCompleted)
                {
                    byte[] body = read.Buffer.ToArray();
                    reader.AdvanceTo(read.Buffer.End);
                    return body;
                }
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (BadHttpRequestException error)
        {
            throw error.StatusCode switch
            {
                StatusCodes.Status413PayloadTooLarge => TooLarge(maxBytes),
                StatusCodes.Status408RequestTimeout => new CoordinatorException(CoordinatorError.TooSlow, "The body arrived too slowly.", error),
                _ => new CoordinatorException(CoordinatorError.BadRequest, "The body is cut off or malformed.", error),
            };
        }
    }

    private static bool IsJson(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? type) && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase);

    private static CoordinatorException TooLarge(int maxBytes) => new(CoordinatorError.TooLarge, $"The body has more than {maxBytes} bytes.");
}

using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.Surfaces;

/// <summary>What is known of one request besides its content: for metrics, traces and the access log. One a request, filled as it goes.</summary>
internal sealed class RequestRecord
{
    /// <summary>The surface: <c>open-inference-rest</c>, <c>tensorflow-rest</c>, <c>open-inference-grpc</c>, <c>tensorflow-grpc</c>, <c>encrypted</c>.</summary>
    public required string Surface { get; init; }

    /// <summary>The operation in the surface's own words, such as <c>predict</c> or <c>ModelInfer</c>.</summary>
    public required string Method { get; set; }

    /// <summary>When it began, as <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
    public required long Started { get; init; }

    public string? Model { get; set; }

    /// <summary>The version that answered; 0 if none did.</summary>
    public long Version { get; set; }

    /// <summary>The caller's name in the manifest; null if nobody was named.</summary>
    public string? Caller { get; set; }

    /// <summary>Why it was refused; null if it was answered.</summary>
    public ServingError? Refusal { get; set; }

    /// <summary>The HTTP status, or the gRPC one on a gRPC surface.</summary>
    public int Status { get; set; }

    public long BytesIn { get; set; }

    public long BytesOut { get; set; }

    /// <summary>How many examples it held: the first dimension of the first input.</summary>
    public long Items { get; set; }

    /// <summary>How many rows an encrypted model answered; 0 where it was none.</summary>
    public long Rows { get; set; }

    /// <summary>Bytes of the encrypted query, of a request that was answered.</summary>
    public long CiphertextIn { get; set; }

    /// <summary>Bytes of the encrypted answer.</summary>
    public long CiphertextOut { get; set; }

    /// <summary>Whether it asks a model to predict; a look at metadata or a status does not.</summary>
    public bool IsPrediction { get; set; }

    /// <summary>From the first look at the request until its inputs were read.</summary>
    public TimeSpan Read { get; set; }

    public TimeSpan Queued { get; set; }

    public TimeSpan Computed { get; set; }

    /// <summary>When the prediction was there, as <see cref="TimeProvider.GetTimestamp"/> counts; 0 if none was made.</summary>
    public long Predicted { get; set; }

    /// <summary>The request's span, if somebody traces.</summary>
    public Activity? Span { get; set; }

    /// <summary>The record of a request that a surface handles.</summary>
    public static RequestRecord? Of(HttpContext http) => http.Features.Get<RequestRecord>();
}

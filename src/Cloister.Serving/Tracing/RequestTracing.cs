using System.Diagnostics;
using System.Globalization;
using Cloister.Serving.Metrics;
using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.Tracing;

/// <summary>
/// One span a request, and under it what it did: admitted (found, allowed, read), queued, computed. A caller's trace (W3C
/// <c>traceparent</c>) is continued. Names, sizes and times, never what a request holds.
/// </summary>
internal sealed class RequestTracing(TimeProvider time) : IServingObserver, IDisposable
{
    /// <summary>The source's name.</summary>
    public const string Name = "Cloister.Serving";

    private readonly ActivitySource _source = new(Name);

    public void Began(RequestRecord request, HttpContext http)
    {
        if (!_source.HasListeners()) return;
        // The caller's span is the parent, not the one that the web server may have made for its own log.
        Activity.Current = null;
        string? parent = http.Request.Headers.TraceParent;
        ActivityContext.TryParse(parent, http.Request.Headers.TraceState, isRemote: true, out ActivityContext context);
        request.Span = _source.CreateActivity($"{request.Surface} {request.Method}", ActivityKind.Server, context);
        request.Span?.SetStartTime(time.GetUtcNow().UtcDateTime);
        request.Span?.Start();
    }

    public void Ended(RequestRecord request, TimeSpan total)
    {
        if (request.Span is not { } span) return;
        DateTime start = span.StartTimeUtc;
        span.DisplayName = $"{request.Surface} {request.Method}";
        span.SetTag("cloister.surface", request.Surface);
        span.SetTag("cloister.method", request.Method);
        span.SetTag("cloister.status", request.Status);
        span.SetTag("cloister.request.bytes", request.BytesIn);
        span.SetTag("cloister.response.bytes", request.BytesOut);
        if (request.Model is { } model) span.SetTag("cloister.model", model);
        if (request.Version != 0) span.SetTag("cloister.version", request.Version.ToString(CultureInfo.InvariantCulture));
        if (request.Caller is { } caller) span.SetTag("cloister.caller", caller);
        if (request.Refusal is { } reason)
        {
            span.SetTag("error.type", RequestMetrics.Reason(reason));
            span.SetStatus(ActivityStatusCode.Error);
        }
        if (request.Predicted != 0)
        {
            DateTime computed = start + time.GetElapsedTime(request.Started, request.Predicted);
            DateTime computing = Later(start, computed - request.Computed), queued = Later(start, computing - request.Queued);
            Part("admit", span, start, queued);
            Part("queue", span, queued, computing);
            Part("compute", span, computing, computed)?.SetTag("cloister.items", request.Items);
        }
        span.SetEndTime(start + total);
        span.Stop();
        span.Dispose();
    }

    public void Dispose() => _source.Dispose();

    // A batch computes for others as well: its times, put one after the other, may reach back before the request.
    private static DateTime Later(DateTime one, DateTime other) => one > other ? one : other;

    private Activity? Part(string name, Activity parent, DateTime from, DateTime to)
    {
        Activity? part = _source.StartActivity(name, ActivityKind.Internal, parent.Context, startTime: from);
        part?.SetEndTime(to);
        part?.Stop();
        return part;
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using Cloister.Serving.Tests.Server;
using Cloister.Serving.Tracing;

namespace Cloister.Serving.Tests.Observation;

/// <summary>Spans, as a listener gets them.</summary>
public sealed class TracingTests
{
    [Fact]
    public async Task A_caller_s_trace_is_continued_and_split_into_its_parts()
    {
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        await using TestServer server = await TestServer.StartAsync(store);
        var trace = ActivityTraceId.CreateRandom();
        var parent = ActivitySpanId.CreateRandom();
        var ended = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == RequestTracing.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                // Other tests' servers run in this process as well.
                if (activity.TraceId == trace) ended.Enqueue(activity);
            },
        };
        ActivitySource.AddActivityListener(listener);
        await SendAsync(server, trace, parent, """{"instances": [1.0, 2.0, 5.0]}""");
        await SendAsync(server, trace, parent, """{"secret": 1}""");

        // A span ends once the answer was sent.
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (ended.Count(span => span.Kind == ActivityKind.Server) < 2) await Task.Delay(20, patience.Token);
        Activity[] spans = [.. ended];
        Activity[] requests = [.. spans.Where(span => span.Kind == ActivityKind.Server)];
        Assert.Equal(2, requests.Length);
        Assert.All(requests, span => Assert.Equal(parent, span.ParentSpanId));
        Activity answered = requests[0], refused = requests[1];
        Assert.Equal(("tensorflow-rest predict", "half", "1"), (answered.DisplayName, answered.GetTagItem("cloister.model"), answered.GetTagItem("cloister.version")));
        Assert.Equal(("invalid_request", ActivityStatusCode.Error), (refused.GetTagItem("error.type"), refused.Status));
        Activity[] parts = [.. spans.Where(span => span.ParentSpanId == answered.SpanId)];
        Assert.Equal(["admit", "queue", "compute"], parts.Select(span => span.OperationName));
        Assert.Equal(3L, parts[2].GetTagItem("cloister.items"));
        for (int i = 0; i < parts.Length; i++)
        {
            Assert.True(parts[i].StartTimeUtc >= answered.StartTimeUtc && parts[i].StartTimeUtc + parts[i].Duration <= answered.StartTimeUtc + answered.Duration);
            if (i > 0) Assert.Equal(parts[i - 1].StartTimeUtc + parts[i - 1].Duration, parts[i].StartTimeUtc);
        }
        Assert.DoesNotContain(spans, span => span.TagObjects.Any(tag => tag.Value is string text && text.Contains("secret", StringComparison.Ordinal)));
    }

    private static async Task SendAsync(TestServer server, ActivityTraceId trace, ActivitySpanId parent, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/models/half:predict") { Content = new StringContent(body) };
        request.Headers.Add("traceparent", $"00-{trace.ToHexString()}-{parent.ToHexString()}-01");
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        await response.Content.ReadAsStringAsync();
    }
}

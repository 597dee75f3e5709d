using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json;
using Cloister.Coordinator.Metrics;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Google.Protobuf;

namespace Cloister.Coordinator.Tests.Metrics;

/// <summary>Metrics and events on a port of their own, as MarbleRun names and labels them.</summary>
public sealed class MetricsTests : IAsyncLifetime
{
    private const string Manifest = """{"Packages":{"p":{"UniqueID":"77"}},"Marbles":{"m":{"Package":"p"},"once":{"Package":"p","MaxActivations":1}}}""";

    private TestCoordinator _coordinator = null!;

    public async Task InitializeAsync() => _coordinator = await TestCoordinator.StartAsync(options => options with { Simulation = true, PrometheusAddress = "localhost:0" });

    public async Task DisposeAsync() => await _coordinator.DisposeAsync();

    [Fact]
    public async Task Requests_are_counted_by_path_method_and_code()
    {
        await GetAsync("/status", times: 3);
        await GetAsync("/api/v2/manifest");
        await SendAsync("PUT", "/quote");
        await SendAsync("POST", "/status");
        ExpositionText metrics = await ReadAsync();
        Assert.Equal(3, metrics.Value("""server_client_api_http_request_total{code="200",method="get",path="/status"}"""));
        Assert.Equal(1, metrics.Value("""server_client_api_http_request_total{code="500",method="get",path="/api/v2/manifest"}"""));
        Assert.Equal(1, metrics.Value("""server_client_api_http_request_total{code="405",method="put",path="/quote"}"""));
        Assert.Equal(1, metrics.Value("""server_client_api_http_request_total{code="405",method="post",path="/status"}"""));
        Assert.Equal(3, metrics.Value("""server_client_api_http_request_duration_histogram_seconds_count{method="get",path="/status"}"""));
        Assert.Equal(3, metrics.Value("""server_client_api_http_request_duration_histogram_seconds_bucket{method="get",path="/status",le="+Inf"}"""));
        Assert.InRange(metrics.Value("""server_client_api_http_request_duration_histogram_seconds_bucket{method="get",path="/status",le="0.005"}"""), 0, 3);
        Assert.Equal(4, metrics.Value("""server_client_api_http_request_size_histogram_bytes_count{path="/status"}"""));
        Assert.True(metrics.Value("""server_client_api_http_response_size_histogram_bytes_sum{path="/status"}""") > 100);
        Assert.Equal(0, metrics.Value("""server_client_api_http_in_flight_requests{path="/status"}"""));
        // Known before anything was asked of it.
        Assert.Equal(0, metrics.Value("""server_client_api_http_in_flight_requests{path="/api/v2/sign-quote"}"""));
        Assert.Equal("counter", metrics.Types["server_client_api_http_request_total"]);
        Assert.Equal("histogram", metrics.Types["server_client_api_http_request_duration_histogram_seconds"]);
        Assert.Equal("gauge", metrics.Types["server_client_api_http_in_flight_requests"]);
    }

    [Fact]
    public async Task Unknown_paths_and_methods_are_answered_and_make_one_series()
    {
        for (int i = 0; i < 20; i++)
            Assert.Equal(405, await SendAsync($"M{i}", $"/nowhere/{i}"));
        ExpositionText metrics = await ReadAsync();
        Assert.Equal(20, metrics.Value("""server_client_api_http_request_total{code="405",method="unknown",path="/"}"""));
        Assert.DoesNotContain(metrics.Samples.Keys, sample => sample.Contains("nowhere", StringComparison.Ordinal));
    }

    [Fact]
    public async Task State_and_version_are_gauges()
    {
        Assert.Equal(2, (await ReadAsync()).Value("coordinator_state"));
        await SetManifestAsync();
        ExpositionText metrics = await ReadAsync();
        Assert.Equal(3, metrics.Value("coordinator_state"));
        string version = Assert.Single(metrics.Samples.Keys, sample => sample.StartsWith("coordinator_version_info{", StringComparison.Ordinal));
        Assert.Matches("^coordinator_version_info{commit=\"[0-9a-f]{40}\",version=\"[0-9.]+\"}$", version);
    }

    [Fact]
    public async Task Activations_are_counted_by_type_and_UUID_and_strangers_make_no_series()
    {
        await SetManifestAsync();
        Guid uuid = Guid.NewGuid();
        await ActivateAsync("once", uuid);
        await RefusedAsync("once", $"{uuid:D}");
        await RefusedAsync("once", $"{Guid.NewGuid():D}");
        await RefusedAsync("nobody", $"{Guid.NewGuid():D}");
        await RefusedAsync("m", "no uuid");
        ExpositionText metrics = await ReadAsync();
        Assert.Equal(2, metrics.Value($$"""coordinator_marble_activations_total{type="once",uuid="{{uuid}}"}"""));
        Assert.Equal(1, metrics.Value($$"""coordinator_marble_activations_success_total{type="once",uuid="{{uuid}}"}"""));
        Assert.Equal(1, metrics.Value("""coordinator_marble_activations_total{type="once",uuid="other"}"""));
        Assert.Equal(1, metrics.Value("""coordinator_marble_activations_total{type="other",uuid="other"}"""));
        Assert.Equal(1, metrics.Value("""coordinator_marble_activations_total{type="m",uuid="other"}"""));
        Assert.Equal(1, metrics.Value("""grpc_server_handled_total{grpc_code="OK",grpc_method="Activate",grpc_service="rpc.Marble",grpc_type="unary"}"""));
        Assert.Equal(3, metrics.Value("""grpc_server_handled_total{grpc_code="PermissionDenied",grpc_method="Activate",grpc_service="rpc.Marble",grpc_type="unary"}"""));
        Assert.Equal(1, metrics.Value("""grpc_server_handled_total{grpc_code="InvalidArgument",grpc_method="Activate",grpc_service="rpc.Marble",grpc_type="unary"}"""));
        Assert.Equal(0, metrics.Value("""grpc_server_handled_total{grpc_code="Canceled",grpc_method="Challenge",grpc_service="rpc.Marble",grpc_type="unary"}"""));
        Assert.Equal(5, metrics.Value("""grpc_server_started_total{grpc_method="Activate",grpc_service="rpc.Marble",grpc_type="unary"}"""));
        Assert.Equal(5, metrics.Value("""grpc_server_msg_received_total{grpc_method="Activate",grpc_service="rpc.Marble",grpc_type="unary"}"""));
        Assert.Equal(1, metrics.Value("""grpc_server_msg_sent_total{grpc_method="Activate",grpc_service="rpc.Marble",grpc_type="unary"}"""));
    }

    [Fact]
    public async Task Events_are_the_activations_with_their_quotes()
    {
        Assert.Equal("[]\n", await EventsAsync());
        await SetManifestAsync();
        Guid uuid = Guid.NewGuid();
        await ActivateAsync("m", uuid, "a quote"u8.ToArray());
        await ActivateAsync("m", Guid.NewGuid());
        JsonElement events = JsonDocument.Parse(await EventsAsync()).RootElement;
        Assert.Equal(2, events.GetArrayLength());
        Assert.Equal(["time", "activation"], events[0].EnumerateObject().Select(member => member.Name));
        Assert.Equal(_coordinator.Clock.GetUtcNow(), events[0].GetProperty("time").GetDateTimeOffset());
        JsonElement activation = events[0].GetProperty("activation");
        Assert.Equal(("m", $"{uuid:D}"), (activation.GetProperty("marbleType").GetString(), activation.GetProperty("uuid").GetString()));
        Assert.Equal("a quote"u8.ToArray(), activation.GetProperty("quote").GetBytesFromBase64());
        Assert.Equal(JsonValueKind.Null, events[1].GetProperty("activation").GetProperty("quote").ValueKind);
    }

    [Fact]
    public void Events_and_series_are_bounded()
    {
        var events = new ActivationEvents(_coordinator.Clock);
        using var metrics = new CoordinatorMetrics(_coordinator.Host.State);
        using var text = new PrometheusText(metrics.Meter);
        var activations = new ActivationMetrics(metrics, events);
        for (int i = 0; i < ActivationMetrics.MaxUuids + 500; i++)
            activations.Succeeded("m", Guid.NewGuid(), new byte[ActivationEvents.MaxQuote + 1]);
        JsonElement kept = JsonDocument.Parse(events.ToJson()).RootElement;
        Assert.Equal(ActivationEvents.MaxEvents, kept.GetArrayLength());
        Assert.All(kept.EnumerateArray(), one => Assert.Equal(JsonValueKind.Null, one.GetProperty("activation").GetProperty("quote").ValueKind));
        ExpositionText read = ExpositionText.Parse(text.Write());
        Assert.Equal(500, read.Value("""coordinator_marble_activations_success_total{type="m",uuid="other"}"""));
        Assert.Equal(ActivationMetrics.MaxUuids + 1, read.Samples.Keys.Count(sample => sample.StartsWith("coordinator_marble_activations_total", StringComparison.Ordinal)));
    }

    [Fact]
    public void Labels_are_escaped_and_values_written_as_the_format_says()
    {
        using var meter = new Meter("test");
        using var text = new PrometheusText(meter);
        Counter<long> counter = meter.CreateCounter<long>("a_total", null, "Back\\slash\nand line.");
        counter.Add(2, new KeyValuePair<string, object?>("z", "1"), new KeyValuePair<string, object?>("a", "q\"b\\s\nn"));
        Histogram<double> histogram = meter.CreateHistogram<double>("b", null, "H.", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1, 10] });
        foreach (double value in new[] { 0.05, 0.1, 5, 100 })
            histogram.Record(value);
        Assert.Equal(
            """
            # HELP a_total Back\\slash\nand line.
            # TYPE a_total counter
            a_total{a="q\"b\\s\nn",z="1"} 2
            # HELP b H.
            # TYPE b histogram
            b_bucket{le="0.1"} 2
            b_bucket{le="1"} 2
            b_bucket{le="10"} 3
            b_bucket{le="+Inf"} 4
            b_sum 105.15
            b_count 4

            """, text.Write());
        Assert.Equal(2, ExpositionText.Parse(text.Write()).Types.Count);
    }

    [Fact]
    public async Task Nothing_is_served_unless_it_is_asked_for_and_nothing_else_on_that_port()
    {
        await using TestCoordinator without = await TestCoordinator.StartAsync();
        Assert.Null(without.Host.MetricsAddress);
        using HttpClient client = Metrics();
        Assert.Equal(404, (int)(await client.GetAsync("/api/v2/status")).StatusCode);
        using HttpResponseMessage metrics = await client.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", metrics.Content.Headers.ContentType!.ToString());
    }

    private HttpClient Metrics() => new() { BaseAddress = new Uri($"http://{_coordinator.Host.MetricsAddress}") };

    private async Task<ExpositionText> ReadAsync()
    {
        using HttpClient client = Metrics();
        return ExpositionText.Parse(await client.GetStringAsync("/metrics"));
    }

    private async Task<string> EventsAsync()
    {
        using HttpClient client = Metrics();
        return await client.GetStringAsync("/events");
    }

    private async Task GetAsync(string path, int times = 1)
    {
        for (int i = 0; i < times; i++)
            await _coordinator.GetAsync(path);
    }

    private async Task<int> SendAsync(string method, string path)
    {
        using HttpClient client = _coordinator.Client();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        return (int)(await client.SendAsync(request)).StatusCode;
    }

    private async Task SetManifestAsync() =>
        Assert.Equal(200, (await _coordinator.PostAsync("/api/v2/manifest", JsonSerializer.Serialize(new { manifest = Encoding.UTF8.GetBytes(Manifest) }))).Code);

    private async Task ActivateAsync(string type, Guid uuid, byte[]? quote = null)
    {
        using var workload = new TestWorkload(_coordinator, type);
        await workload.SendAsync(Request(workload, $"{uuid:D}", quote ?? []));
    }

    private async Task RefusedAsync(string type, string uuid)
    {
        using var workload = new TestWorkload(_coordinator, type);
        await Assert.ThrowsAsync<GrpcException>(() => workload.SendAsync(Request(workload, uuid, [])));
    }

    private static ActivationReq Request(TestWorkload workload, string uuid, byte[] quote) =>
        new() { CSR = ByteString.CopyFrom(workload.Csr), MarbleType = workload.Type, UUID = uuid, Quote = ByteString.CopyFrom(quote) };
}

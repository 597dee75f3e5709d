using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Coordinator.Counters;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Marble;
using Google.Protobuf;

namespace Cloister.Coordinator.Tests.Counters;

public sealed class CounterTests : IAsyncLifetime
{
    private TestCoordinator _coordinator = null!;

    public async Task InitializeAsync() => _coordinator = await StartAsync("\"mOnotonicCounter\"");

    public async Task DisposeAsync() => await _coordinator.DisposeAsync();

    [Fact]
    public async Task A_counter_is_only_raised_and_answers_what_it_held()
    {
        using X509Certificate2 marble = await ActivateAsync(_coordinator, Guid.NewGuid());
        Assert.Equal(0ul, await RaiseAsync(marble, "c", 5));
        Assert.Equal(5ul, await RaiseAsync(marble, "c", 3));
        Assert.Equal(5ul, await RaiseAsync(marble, "c", 9));
        Assert.Equal(9ul, await RaiseAsync(marble, "c", 0));
        Assert.Equal(0ul, await RaiseAsync(marble, "d", ulong.MaxValue));
        Assert.Equal(ulong.MaxValue, await RaiseAsync(marble, "d", 1));
        Assert.Equal(0ul, await RaiseAsync(marble, "", 1));
        using X509Certificate2 other = await ActivateAsync(_coordinator, Guid.NewGuid());
        Assert.Equal(0ul, await RaiseAsync(other, "c", 1));
        await _coordinator.RestartAsync();
        Assert.Equal(9ul, await RaiseAsync(marble, "c", 0));
        Assert.Equal(1ul, await RaiseAsync(other, "c", 0));
    }

    [Fact]
    public async Task Members_are_read_as_Go_reads_them()
    {
        using X509Certificate2 marble = await ActivateAsync(_coordinator, Guid.NewGuid());
        Assert.Equal(200, (await PostAsync(marble, """{"NAME":"x","Value":3,"more":true}""")).Code);
        Assert.Equal(3ul, await RaiseAsync(marble, "x", 0));
        Assert.Equal(200, (await PostAsync(marble, "{}")).Code);
    }

    [Fact]
    public async Task Counters_that_come_together_are_each_told_what_the_one_before_set()
    {
        using X509Certificate2 marble = await ActivateAsync(_coordinator, Guid.NewGuid());
        ulong[] held = await Task.WhenAll(Enumerable.Range(1, 20).Select(value => RaiseAsync(marble, "c", (ulong)value)));
        Assert.Equal(20ul, await RaiseAsync(marble, "c", 0));
        Assert.All(held, value => Assert.InRange(value, 0ul, 20ul));
        Assert.Single(held, 0ul);
    }

    [Fact]
    public async Task Its_key_is_MarbleRuns()
    {
        Guid uuid = Guid.Parse("3d0ffb2a-6a3f-4f1b-8d4b-0123456789ab");
        using X509Certificate2 marble = await ActivateAsync(_coordinator, uuid);
        await RaiseAsync(marble, "a:b", 1);
        Assert.Equal("bQ==:PQ/7Kmo/TxuNSwEjRWeJqw==:YTpi", Assert.Single(_coordinator.Host.State.Current.Counters).Key);
        Assert.Equal("bQ==:PQ/7Kmo/TxuNSwEjRWeJqw==:YTpi", CounterService.KeyOf(new WorkloadIdentity("m", uuid), "a:b"));
    }

    [Fact]
    public async Task Only_a_workload_of_this_coordinator_may()
    {
        await AssertUnauthorizedAsync(null);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using X509Certificate2 self = TestWorkload.SelfSigned(key);
        await AssertUnauthorizedAsync(self);
        await using TestCoordinator elsewhere = await StartAsync("\"MonotonicCounter\"");
        using X509Certificate2 foreign = await ActivateAsync(elsewhere, Guid.NewGuid());
        await AssertUnauthorizedAsync(foreign);

        async Task AssertUnauthorizedAsync(X509Certificate2? certificate)
        {
            (int code, JsonElement answer) = await PostAsync(certificate, """{"name":"c","value":1}""");
            Assert.Equal((401, "fail"), (code, answer.GetProperty("status").GetString()));
            Assert.StartsWith("unauthorized marble: ", answer.GetProperty("message").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Without_the_feature_it_is_forbidden()
    {
        await using TestCoordinator coordinator = await StartAsync("\"SignQuoteEndpoint\"");
        using HttpClient client = coordinator.Client();
        using HttpResponseMessage refused = await client.PostAsync(CounterEndpoints.Path, new StringContent("{}"));
        Assert.Equal((403, "text/plain"), ((int)refused.StatusCode, refused.Content.Headers.ContentType!.MediaType));
        Assert.Equal("{\"status\":\"error\",\"data\":null,\"message\":\"MonotonicCounter feature is not enabled in the manifest\"}\n", await refused.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Bad_input_is_refused()
    {
        using X509Certificate2 marble = await ActivateAsync(_coordinator, Guid.NewGuid());
        foreach (string body in new[] { "", "nonsense", "[]", """{"name":"c","value":-1}""", """{"name":"c","value":18446744073709551616}""", """{"name":1,"value":1}""" })
        {
            (int code, JsonElement answer) = await PostAsync(marble, body);
            Assert.Equal((400, "fail"), (code, answer.GetProperty("status").GetString()));
        }
        (int tooLong, _) = await PostAsync(marble, JsonSerializer.Serialize(new { name = new string('x', CounterService.MaxNameBytes + 1), value = 1 }));
        Assert.Equal(500, tooLong);
        Assert.Equal(413, (await PostAsync(marble, new string(' ', 17 << 10))).Code);
    }

    [Fact]
    public async Task There_is_an_end_to_them()
    {
        Guid uuid = Guid.NewGuid();
        using X509Certificate2 marble = await ActivateAsync(_coordinator, uuid);
        var identity = new WorkloadIdentity("m", uuid);
        await _coordinator.Host.State.ChangeAsync(current => current with
        {
            Counters = current.Counters.AddRange(Enumerable.Range(0, CounterService.MaxForOneWorkload).Select(i => KeyValuePair.Create(CounterService.KeyOf(identity, $"{i}"), 1ul))),
        }, default);
        Assert.Equal(500, (await PostAsync(marble, """{"name":"one more","value":1}""")).Code);
        Assert.Equal(1ul, await RaiseAsync(marble, "7", 2));
        using X509Certificate2 other = await ActivateAsync(_coordinator, Guid.NewGuid());
        Assert.Equal(0ul, await RaiseAsync(other, "one more", 1));
    }

    private static async Task<TestCoordinator> StartAsync(string gates)
    {
        TestCoordinator coordinator = await TestCoordinator.StartAsync(options => options with { Simulation = true });
        string manifest = $$$"""{"Packages":{"p":{"UniqueID":"77"}},"Marbles":{"m":{"Package":"p"}},"Config":{"FeatureGates":[{{{gates}}}]}}""";
        Assert.Equal(200, (await coordinator.PostAsync("/api/v2/manifest", JsonSerializer.Serialize(new { manifest = Encoding.UTF8.GetBytes(manifest) }))).Code);
        return coordinator;
    }

    private static async Task<X509Certificate2> ActivateAsync(TestCoordinator coordinator, Guid uuid)
    {
        using var workload = new TestWorkload(coordinator, "m");
        var env = (await workload.SendAsync(new ActivationReq { CSR = ByteString.CopyFrom(workload.Csr), MarbleType = "m", UUID = uuid.ToString("D") })).Parameters.Env;
        return X509Certificate2.CreateFromPem(env["MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN"].ToStringUtf8(), env["MARBLE_PREDEFINED_PRIVATE_KEY"].ToStringUtf8());
    }

    private async Task<ulong> RaiseAsync(X509Certificate2 marble, string name, ulong value)
    {
        (int code, JsonElement answer) = await PostAsync(marble, JsonSerializer.Serialize(new { name, value }));
        Assert.True(code == 200, answer.ToString());
        return answer.GetProperty("data").GetProperty("value").GetUInt64();
    }

    private Task<(int Code, JsonElement Json)> PostAsync(X509Certificate2? certificate, string body) => _coordinator.PostAsync(CounterEndpoints.Path, body, certificate);
}

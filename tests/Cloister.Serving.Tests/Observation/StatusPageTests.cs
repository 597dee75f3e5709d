using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Cloister.Serving.Metrics;
using Cloister.Serving.Status;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Observation;

/// <summary>The status page over HTTP; <see cref="StatusPageBrowserTests"/> looks at it.</summary>
public sealed partial class StatusPageTests
{
    [Fact]
    public async Task Anybody_sees_states_and_only_callers_see_figures_of_their_models()
    {
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        await store.AddAsync("two", TestModels.SumAndDifference);
        store.AllowToken("alice", "alice's token", "half");
        await using TestServer server = await TestServer.StartAsync(store);
        await server.PostAsync("/v1/models/half:predict", """{"instances": [1.0]}""");
        string strangers = await ReadAsync(server.Client);
        Assert.Contains("half <span class=\"good\">ready</span>", strangers, StringComparison.Ordinal);
        Assert.Contains("two <span class=\"good\">ready</span>", strangers, StringComparison.Ordinal);
        Assert.DoesNotContain("waiting", strangers, StringComparison.Ordinal);
        Assert.DoesNotContain("<svg", strangers, StringComparison.Ordinal);
        Assert.Contains("no evidence", strangers, StringComparison.Ordinal);

        using HttpClient alice = server.CreateClient();
        alice.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Bearer alice's token");
        string callers = await ReadUntilAsync(alice, "<svg");
        Assert.Single(Regex.Matches(callers, "requests waiting"));
        Assert.Single(Regex.Matches(callers, "<svg"));
        Assert.Contains("Predictions of half by the time", callers, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_carries_its_style_alone_and_no_script()
    {
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        await using TestServer server = await TestServer.StartAsync(store);
        using HttpResponseMessage response = await server.Client.GetAsync(StatusPageOptions.Path);
        string html = await response.Content.ReadAsStringAsync();
        string policy = response.Headers.GetValues("Content-Security-Policy").Single();
        string style = Style().Match(html).Groups[1].Value;
        Assert.Contains($"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)))}'", policy, StringComparison.Ordinal);
        Assert.StartsWith("default-src 'none'; ", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("style=", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("src=", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("href=", html, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
    }

    [Fact]
    public async Task A_refused_model_says_why_and_what_it_says_is_escaped()
    {
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        await store.AddAsync("bad", TestModels.HalfPlusTwo, configuration: """{"<script>alert(1)</script>": 1}""");
        await using TestServer server = await TestServer.StartAsync(store);
        string html = await ReadAsync(server.Client);
        Assert.Contains("bad <span class=\"bad\">unavailable</span>", html, StringComparison.Ordinal);
        Assert.Contains("not ready", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_can_be_left_out()
    {
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        await using TestServer server = await TestServer.StartAsync(store, options => options with { StatusPage = null });
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync(StatusPageOptions.Path)).Status);
    }

    [Theory]
    [InlineData(0.5, 2)]
    [InlineData(0.75, 3)]
    [InlineData(1, 4)]
    public void Quantiles_are_read_straight_through_an_interval(double part, double value)
    {
        var histogram = new Histogram([1, 2, 4]);
        foreach (double observed in (double[])[0.5, 1.5, 3, 3]) histogram.Observe(observed);
        Assert.Equal(value, Quantiles.Of(histogram, part));
        Assert.Equal(double.NaN, Quantiles.Of(new Histogram([1]), part));
    }

    [Theory]
    [InlineData(0.00005, "50 µs")]
    [InlineData(0.00025, "250 µs")]
    [InlineData(0.0015, "1.5 ms")]
    [InlineData(2.5, "2.5 s")]
    public void Times_are_in_the_unit_that_a_person_would_use(double seconds, string text) => Assert.Equal(text, HtmlText.Readable(seconds));

    /// <summary>A request is counted once its answer was sent: whoever has the answer may be quicker.</summary>
    internal static async Task<string> ReadUntilAsync(HttpClient client, params string[] texts)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (true)
        {
            string page = await ReadAsync(client);
            if (texts.All(text => page.Contains(text, StringComparison.Ordinal))) return page;
            await Task.Delay(20, patience.Token);
        }
    }

    private static async Task<string> ReadAsync(HttpClient client)
    {
        using HttpResponseMessage response = await client.GetAsync(StatusPageOptions.Path);
        Assert.Equal((HttpStatusCode.OK, "text/html; charset=utf-8"), (response.StatusCode, response.Content.Headers.ContentType!.ToString()));
        return await response.Content.ReadAsStringAsync();
    }

    [GeneratedRegex("<style>(.*)</style>", RegexOptions.Singleline)]
    private static partial Regex Style();
}

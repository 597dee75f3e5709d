using System.Diagnostics;
using System.Text.Json.Nodes;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Observation;

/// <summary>The status page as a person meets it, in Chromium.</summary>
public sealed class StatusPageBrowserTests
{
    [BrowserFact]
    public async Task A_person_reads_models_versions_queues_batches_and_latencies()
    {
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        await store.AddAsync("sums", TestModels.SumAndDifference);
        await store.AddAsync("broken", "no model"u8.ToArray());
        store.AllowToken("alice", "alice-s-token", "half", "sums");
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Batching = new BatchingOptions { MaxBatchSize = 16, AllowedBatchSizes = [4, 16] } });
        await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => server.PostAsync("/v1/models/half:predict", """{"instances": [1.0, 2.0, 5.0]}""")));
        for (int i = 0; i < 5; i++) await server.PostAsync("/v1/models/half:predict", "{");
        for (int i = 0; i < 40; i++) await server.PostAsync("/v1/models/sums:predict", """{"inputs": {"a": [[1, 2]], "b": [[3, 4]]}}""");

        using (HttpClient alice = server.CreateClient())
        {
            alice.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Bearer alice-s-token");
            await StatusPageTests.ReadUntilAsync(alice, "refused: 5 malformed json", "Predictions of half", "Predictions of sums");
        }
        string folder = Environment.GetEnvironmentVariable("CLOISTER_SCREENSHOTS") is { Length: > 0 } kept ? kept : Directory.CreateTempSubdirectory("cloister-page-").FullName;
        string address = new Uri(server.Host.Address, StatusPageOptions.Path).AbsoluteUri;
        JsonObject light = await LookAsync(address, Path.Combine(folder, "status-light.png"), "light", "alice-s-token");
        JsonObject dark = await LookAsync(address, Path.Combine(folder, "status-dark.png"), "dark", "alice-s-token");
        JsonObject stranger = await LookAsync(address, Path.Combine(folder, "status-stranger.png"), "light");

        foreach (JsonObject page in (JsonObject[])[light, dark, stranger])
        {
            Assert.Equal(200, (int)page["status"]!);
            Assert.Empty(page["complaints"]!.AsArray());
            Assert.Equal(["/status"], page["requests"]!.AsArray().Select(path => (string)path!).Where(path => path != "/favicon.ico"));
            Assert.Equal(["half ready", "sums ready", "broken unavailable"], page["headings"]!.AsArray().Select(heading => (string)heading!));
            Assert.Equal("Cloister: not ready", (string)page["title"]!);
            Assert.False((bool)page["overflows"]!);
            Assert.False((bool)page["overflowsNarrow"]!);
            Assert.Equal("896px", (string)page["maxWidth"]!); // 56rem: the style was taken
        }
        Assert.NotEqual((string)light["background"]!, (string)dark["background"]!);
        Assert.True((int)light["bars"]! >= 16);
        Assert.Equal(0, (int)stranger["bars"]!);
        string text = (string)light["text"]!;
        Assert.Contains("batches of up to 16", text, StringComparison.Ordinal);
        Assert.Contains("refused: 5 malformed json", text, StringComparison.Ordinal);
        Assert.Contains("whole request", text, StringComparison.Ordinal);
        Assert.Contains("no evidence", text, StringComparison.Ordinal);
        foreach (string name in (string[])["status-light.png", "status-dark.png"])
            Assert.True(new FileInfo(Path.Combine(folder, name)).Length > 10_000, "The picture is empty.");
    }

    private static async Task<JsonObject> LookAsync(string address, string screenshot, string scheme, string? token = null)
    {
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments = [Path.Combine(BrowserFactAttribute.Folder, "page.mjs"), BrowserFactAttribute.Chromium!, address, screenshot, scheme];
        foreach (string argument in token is null ? arguments : [.. arguments, token]) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        Task<string> output = process.StandardOutput.ReadToEndAsync(patience.Token), error = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
        Assert.True(process.ExitCode == 0, await error);
        return JsonNode.Parse(await output)!.AsObject();
    }
}

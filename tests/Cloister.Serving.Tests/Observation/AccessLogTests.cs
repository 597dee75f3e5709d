using System.Text.Json;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Observation;

/// <summary>The access log on a real disk.</summary>
public sealed class AccessLogTests
{
    [Fact]
    public async Task One_line_a_request_without_what_it_held()
    {
        string folder = Directory.CreateTempSubdirectory("cloister-log-").FullName, path = Path.Combine(folder, "access.jsonl");
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        store.AllowToken("alice", "alice's token", "half");
        await using (TestServer server = await TestServer.StartAsync(store, options => options with { AccessLogFile = path }))
        {
            server.Client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Bearer alice's token");
            await server.PostAsync("/v1/models/half:predict", """{"instances": [7353.0, 2.0]}""");
            await server.PostAsync("/v2/models/half/infer", """{"inputs":"7353"}""");
            await server.GetAsync("/v1/models/none");
        }
        string text = await File.ReadAllTextAsync(path);
        foreach (string held in (string[])["7353", "3678.5", "token"]) Assert.DoesNotContain(held, text, StringComparison.Ordinal);
        JsonElement[] lines = [.. text.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(3, lines.Length);
        Assert.Equal(("tensorflow-rest", "predict", "half", 1, "alice", 200), (lines[0].GetProperty("surface").GetString(), lines[0].GetProperty("method").GetString(),
            lines[0].GetProperty("model").GetString(), lines[0].GetProperty("version").GetInt64(), lines[0].GetProperty("caller").GetString(), lines[0].GetProperty("status").GetInt32()));
        Assert.Equal(2, lines[0].GetProperty("items").GetInt64());
        Assert.True(lines[0].GetProperty("computedMicroseconds").GetInt64() >= 0 && lines[0].GetProperty("bytesIn").GetInt64() == 28 && lines[0].GetProperty("bytesOut").GetInt64() > 0);
        Assert.Equal((400, (int)ServingError.InvalidRequest), (lines[1].GetProperty("status").GetInt32(), lines[1].GetProperty("refusal").GetInt32()));
        Assert.Equal((404, false), (lines[2].GetProperty("status").GetInt32(), lines[2].TryGetProperty("model", out _)));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_file_that_is_moved_away_is_made_anew()
    {
        string folder = Directory.CreateTempSubdirectory("cloister-log-").FullName, path = Path.Combine(folder, "access.jsonl");
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        await using (TestServer server = await TestServer.StartAsync(store, options => options with { AccessLogFile = path }))
        {
            await server.GetAsync("/v2/health/live");
            File.Move(path, path + ".1");
            // The line before may still have been on its way into the file that was moved.
            for (int i = 0; i < 3; i++) await server.GetAsync("/v2/health/live");
        }
        Assert.True(File.Exists(path));
        Assert.Equal(4, (await File.ReadAllLinesAsync(path)).Length + (await File.ReadAllLinesAsync(path + ".1")).Length);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_stops_the_start()
    {
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        await Assert.ThrowsAsync<DirectoryNotFoundException>(() => TestServer.StartAsync(store, options => options with { AccessLogFile = "/nowhere/access.jsonl" }));
    }
}

using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Cloister.Bench;

/// <summary>The quickstart's deployment, left running: what the first verified prediction took, and what requests take after it.</summary>
internal sealed class KeptStory : IAsyncDisposable
{
    private const int Requests = 200, Quotes = 20;

    private readonly Process _process;
    private readonly JsonNode _kept;
    private readonly double _seconds;

    private KeptStory(Process process, JsonNode kept, double seconds) => (_process, _kept, _seconds) = (process, kept, seconds);

    public static async Task<KeptStory> StartAsync(string[] options, string workspace, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        Process process = Command.Start(Command.Cloister, ["quickstart", .. options, "--keep", "--workspace", workspace, "--json"]);
        _ = process.StandardError.ReadToEndAsync(cancellation);
        while (await process.StandardOutput.ReadLineAsync(cancellation) is { } line)
        {
            if (JsonNode.Parse(line) is { } said && (string?)said["event"] == "kept")
                return new KeptStory(process, said, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        throw new InvalidOperationException("The quickstart ended before it could be measured.");
    }

    public async Task<StoryFigures> MeasureAsync(CancellationToken cancellation)
    {
        using var anyone = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        using var client = new HttpClient(anyone) { BaseAddress = new Uri((string)_kept["workload"]!) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(Path.Combine((string)_kept["workspace"]!, "client", "token"), cancellation)).Trim());
        JsonNode model = JsonNode.Parse(await client.GetStringAsync(new Uri("/v2/models/classifier", UriKind.Relative), cancellation))!;
        JsonNode input = model["inputs"]![0]!;
        byte[] body = InferBodies.Json((string)input["name"]!, [.. input["shape"]!.AsArray().Select(size => Math.Max(1, (long)size!))]);
        double inference = await MedianAsync(Requests, async () =>
        {
            using var content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            using HttpResponseMessage answer = await client.PostAsync(new Uri("/v2/models/classifier/infer", UriKind.Relative), content, cancellation);
            answer.EnsureSuccessStatusCode();
            await answer.Content.ReadAsByteArrayAsync(cancellation);
        });
        double evidence = await MedianAsync(Quotes, () =>
            client.GetByteArrayAsync(new Uri($"/.well-known/cloister/evidence?nonce={System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32))}", UriKind.Relative), cancellation));
        return new StoryFigures(_seconds, inference, evidence);
    }

    public async ValueTask DisposeAsync()
    {
        using (Process interrupt = Process.Start("kill", ["-INT", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
            await interrupt.WaitForExitAsync();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static async Task<double> MedianAsync(int count, Func<Task> one)
    {
        await one();
        var times = new double[count];
        for (int i = 0; i < count; i++)
        {
            long start = Stopwatch.GetTimestamp();
            await one();
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
        Array.Sort(times);
        return times[count / 2];
    }
}

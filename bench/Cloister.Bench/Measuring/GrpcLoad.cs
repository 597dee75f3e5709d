using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace Cloister.Bench;

/// <summary>h2load as a gRPC client (nghttp2.org): connections with several calls at a time each, in a process of its own.</summary>
internal sealed partial class GrpcLoad(ServerProcess server, int port, string bodyFile, int clients, int streams)
{
    public const string Path = "/inference.GRPCInferenceService/ModelInfer";

    /// <summary>Whether h2load is installed.</summary>
    public static bool IsAvailable => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => folder.Length > 0 && File.Exists(System.IO.Path.Combine(folder, "h2load")));

    /// <summary>One call by another client, which sees the gRPC status that h2load does not look at.</summary>
    public async Task DemandAnswerAsync(CancellationToken cancellation)
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(await File.ReadAllBytesAsync(bodyFile, cancellation)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        using HttpResponseMessage response = await http.SendAsync(request, cancellation);
        byte[] answer = await response.Content.ReadAsByteArrayAsync(cancellation);
        string status = response.TrailingHeaders.TryGetValues("grpc-status", out IEnumerable<string>? values) || response.Headers.TryGetValues("grpc-status", out values) ? values.First() : "none";
        if (status != "0" || answer.Length < 5) throw new InvalidOperationException($"ModelInfer answered with HTTP {(int)response.StatusCode}, grpc-status {status}, {answer.Length} bytes.");
    }

    /// <summary>Sends so many calls and waits for their end. h2load tells no 99th percentile.</summary>
    public async Task<LoadFigures> RunAsync(int requests, CancellationToken cancellation)
    {
        TimeSpan before = server.CpuTime;
        string output = await H2LoadAsync(requests, cancellation);
        TimeSpan cpu = server.CpuTime - before;
        return output.Contains(string.Create(CultureInfo.InvariantCulture, $"{requests} succeeded"), StringComparison.Ordinal) && Rate().Match(output) is { Success: true } rate
            ? new LoadFigures(cpu.TotalMicroseconds / requests, double.NaN, double.Parse(rate.ValueSpan, CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"h2load did not get every answer:\n{output}");
    }

    [GeneratedRegex(@"[0-9.]+(?= req/s)")]
    private static partial Regex Rate();

    private async Task<string> H2LoadAsync(int requests, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("h2load") { RedirectStandardOutput = true };
        foreach (string argument in new[]
        {
            "-n", requests.ToString(CultureInfo.InvariantCulture), "-c", clients.ToString(CultureInfo.InvariantCulture), "-m", streams.ToString(CultureInfo.InvariantCulture),
            "-d", bodyFile, "-H", "content-type: application/grpc", "-H", "te: trailers", $"http://127.0.0.1:{port}{Path}",
        }) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return output;
    }
}

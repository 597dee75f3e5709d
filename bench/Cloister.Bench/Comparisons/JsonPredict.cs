using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Sealing;
using Cloister.Serving;
using Cloister.Workload;

namespace Cloister.Bench;

/// <summary>
/// The server's CPU time for one JSON prediction over TLS, beside an HTTPS server on Node with onnxruntime-node. Both are processes of
/// their own; the same client drives them in turns.
/// </summary>
internal sealed class JsonPredict : IComparison
{
    private const int WarmUps = 4, Rounds = 5, Clients = 8, LargeBody = 256 << 10;

    public string Name => "json-predict";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (BenchContext.SharedModel("vision/mnist.onnx") is { } mnist)
            yield return await CompareAsync("784 floats (mnist)", mnist, "Input3", [1, 1, 28, 28], 4_000, 0.45, cancellation);
        yield return await CompareAsync("3,072 floats (shapes)", BenchContext.SampleModel, "image", [1, 3, 32, 32], 2_000, double.PositiveInfinity, cancellation);
        if (BenchContext.SharedModel("vision/squeezenet1.1-224.onnx") is { } squeezenet)
            yield return await CompareAsync("150,528 floats (SqueezeNet)", squeezenet, "data_0", [1, 3, 224, 224], 80, 0.35, cancellation);
    }

    /// <summary>The child process: serves one model under a throw-away certificate and prints its port.</summary>
    public static async Task<int> ServeAsync(string[] arguments)
    {
        (string model, string keyPath, string certificatePath) = (arguments[0], arguments[1], arguments[2]);
        string store = Directory.CreateTempSubdirectory("cloister-bench-").FullName;
        using MakerKey maker = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);
        SecretBytes key = SecretBytes.Random(SealedFile.KeySize);
        string digest = await SealedFile.SealAsync(Path.Combine(store, "model.sealed"), new SealedContent("model", 1, [SealedSource.FromFile("model.onnx", model)]), key.Memory, maker);
        using X509Certificate2 pair = X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
        using X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null);
        var grants = new ServingGrants([new ModelGrant("model", digest, maker.Public.SubjectPublicKeyInfo, 1, key)], [], ["model"]);
        var options = new InferenceOptions { StoreFolder = store, Endpoint = new IPEndPoint(IPAddress.Loopback, 0) };
        await using InferenceHost host = await InferenceHost.StartAsync(options, grants, new CertificateIdentity(certificate));
        await host.ModelsLoaded;
        Directory.Delete(store, recursive: true);
        Console.WriteLine(host.Address.Port);
        await Console.In.ReadLineAsync(); // until the parent closes the pipe
        return host.Models.All(served => served.Reason is null) ? 0 : 1;
    }

    private static async Task<Figure> CompareAsync(string name, string model, string input, long[] shape, int requests, double bar, CancellationToken cancellation)
    {
        string folder = Directory.CreateTempSubdirectory("cloister-bench-").FullName;
        try
        {
            (string key, string certificate) = await CertificateAsync(folder, cancellation);
            byte[] body = Body(input, shape);
            await using var ours = await Server.StartAsync(Environment.ProcessPath!, ["serve", model, key, certificate], tls: true, cancellation);
            // Node 20's HTTPS server resets kept connections that carry such bodies ("HPE_PAUSED"): there the peer is spared TLS.
            bool peerTls = body.Length < LargeBody;
            string[] script = [Path.Combine(BenchContext.NodeFolder, "server.mjs"), model];
            await using var peer = await Server.StartAsync("node", peerTls ? [.. script, key, certificate] : script, peerTls, cancellation);
            var ourTimes = new List<double>();
            var peerTimes = new List<double>();
            for (int round = -WarmUps; round < Rounds; round++)
            {
                double our = await ours.CpuPerRequestAsync(body, requests, cancellation), other = await peer.CpuPerRequestAsync(body, requests, cancellation);
                if (round >= 0)
                {
                    ourTimes.Add(our);
                    peerTimes.Add(other);
                }
            }
            return new Figure($"JSON predict: {name}", Samples.Median(ourTimes), Samples.Median(peerTimes), "us CPU/req", peerTls ? "Node https + onnxruntime-node" : "Node http, no TLS, + onnxruntime-node", bar, $"{Clients} clients");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static byte[] Body(string input, long[] shape)
    {
        var random = new Random(1);
        long count = shape.Aggregate(1L, (product, size) => product * size);
        var text = new StringBuilder($$"""{"id":"1","inputs":[{"name":"{{input}}","datatype":"FP32","shape":[{{string.Join(',', shape)}}],"data":[""");
        for (long i = 0; i < count; i++)
            text.Append(i == 0 ? "" : ",").Append(random.NextSingle().ToString("R", CultureInfo.InvariantCulture));
        return Encoding.ASCII.GetBytes(text.Append("]}]}").ToString());
    }

    private static async Task<(string Key, string Certificate)> CertificateAsync(string folder, CancellationToken cancellation)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
        (string keyPath, string certificatePath) = (Path.Combine(folder, "key.pem"), Path.Combine(folder, "cert.pem"));
        await File.WriteAllTextAsync(keyPath, key.ExportPkcs8PrivateKeyPem(), cancellation);
        await File.WriteAllTextAsync(certificatePath, certificate.ExportCertificatePem(), cancellation);
        return (keyPath, certificatePath);
    }

    /// <summary>A server under load: its process's CPU time is what is measured.</summary>
    private sealed class Server(string program, Process process, HttpClient http) : IAsyncDisposable
    {
        public static async Task<Server> StartAsync(string program, string[] arguments, bool tls, CancellationToken cancellation)
        {
            var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardInput = true };
            foreach (string argument in arguments)
                start.ArgumentList.Add(argument);
            Process process = Process.Start(start)!;
            string port = await process.StandardOutput.ReadLineAsync(cancellation) ?? throw new InvalidOperationException($"{program} ended before it served.");
            var handler = new SocketsHttpHandler { MaxConnectionsPerServer = Clients };
            // The load goes to a child process under a throw-away certificate; which one is of no interest here.
            handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) => presented is not null;
            return new Server(program, process, new HttpClient(handler) { BaseAddress = new Uri($"{(tls ? "https" : "http")}://127.0.0.1:{port}") });
        }

        public async Task<double> CpuPerRequestAsync(byte[] body, int requests, CancellationToken cancellation)
        {
            process.Refresh();
            TimeSpan before = process.TotalProcessorTime;
            try
            {
                await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => SendAsync(body, requests / Clients, cancellation)));
            }
            catch (HttpRequestException exception)
            {
                throw new InvalidOperationException($"{Path.GetFileName(program)} did not answer every request; it has {(process.HasExited ? $"ended with {process.ExitCode}" : "not ended")}.", exception);
            }
            process.Refresh();
            return (process.TotalProcessorTime - before).TotalMicroseconds / requests;
        }

        public async ValueTask DisposeAsync()
        {
            http.Dispose();
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        private async Task SendAsync(byte[] body, int requests, CancellationToken cancellation)
        {
            for (int i = 0; i < requests; i++)
            {
                using var content = new ByteArrayContent(body);
                content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                using HttpResponseMessage response = await http.PostAsync("/v2/models/model/infer", content, cancellation);
                if (!response.IsSuccessStatusCode)
                    throw new InvalidOperationException($"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellation)}");
                await response.Content.ReadAsByteArrayAsync(cancellation);
            }
        }
    }
}

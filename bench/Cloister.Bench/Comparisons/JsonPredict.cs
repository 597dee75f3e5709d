using System.Runtime.CompilerServices;

namespace Cloister.Bench;

/// <summary>
/// The server's CPU time for one JSON prediction beside a server on Node with onnxruntime-node. Both are processes of their own; the
/// same client drives them in turns, over TLS and without.
/// </summary>
internal sealed class JsonPredict : IComparison
{
    private const int Clients = 8, LargeBody = 256 << 10;

    public string Name => "json-predict";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (BenchContext.SharedModel("vision/mnist.onnx") is { } mnist)
            await foreach (Figure figure in CompareAsync("784 floats (mnist)", mnist, "Input3", [1, 1, 28, 28], 4_000, 0.45, cancellation)) yield return figure;
        await foreach (Figure figure in CompareAsync("3,072 floats (shapes)", BenchContext.SampleModel, "image", [1, 3, 32, 32], 2_000, double.PositiveInfinity, cancellation)) yield return figure;
        if (BenchContext.SharedModel("vision/squeezenet1.1-224.onnx") is { } squeezenet)
            await foreach (Figure figure in CompareAsync("150,528 floats (SqueezeNet)", squeezenet, "data_0", [1, 3, 224, 224], 80, 0.35, cancellation)) yield return figure;
    }

    private static async IAsyncEnumerable<Figure> CompareAsync(
        string name, string model, string input, long[] shape, int requests, double bar, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string folder = Directory.CreateTempSubdirectory("cloister-bench-").FullName;
        try
        {
            (string key, string certificate) = await ServeChild.CertificateAsync(folder, cancellation);
            byte[] body = InferBodies.Json(input, shape);
            await using ServerProcess ours = await ServerProcess.StartOursAsync(cancellation, model, key, certificate);
            // Node 20's HTTPS server resets kept connections that carry such bodies ("HPE_PAUSED"): there the peer is spared TLS.
            bool peerTls = body.Length < LargeBody;
            await using ServerProcess peer = await ServerProcess.StartNodeAsync("server.mjs", cancellation, model, key, certificate);
            foreach (bool tls in new[] { true, false })
            {
                using var our = new HttpLoad(ours, ours.Ports[tls ? 0 : 1], tls, body, null, Clients);
                using var other = new HttpLoad(peer, peer.Ports[tls && peerTls ? 0 : 1], tls && peerTls, body, null, Clients);
                (LoadFigures o, LoadFigures p) = await Duel.RunAsync(our, other, requests, cancellation);
                string peerName = tls && !peerTls ? "Node http, no TLS, + onnxruntime-node" : tls ? "Node https + onnxruntime-node" : "Node http + onnxruntime-node";
                yield return new Figure($"JSON: {name}, {(tls ? "TLS" : "plain")}", o.CpuMicroseconds, p.CpuMicroseconds, "us CPU/req", peerName, bar, $"{Clients} clients");
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

using System.Runtime.CompilerServices;

namespace Cloister.Bench;

/// <summary>
/// One prediction with the Open Inference Protocol's binary extension, in and out, beside a server on Node that looks at the body as a
/// Float32Array: the server's CPU time, and the time that 99 of 100 requests do not exceed. Without TLS on both sides.
/// </summary>
internal sealed class BinaryPredict : IComparison
{
    private const int Clients = 8;

    public string Name => "binary-predict";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (BenchContext.SharedModel("vision/mnist.onnx") is { } mnist)
            await foreach (Figure figure in CompareAsync("3 KB (mnist)", mnist, "Input3", [1, 1, 28, 28], 4_000, cancellation)) yield return figure;
        await foreach (Figure figure in CompareAsync("12 KB (shapes)", BenchContext.SampleModel, "image", [1, 3, 32, 32], 2_000, cancellation)) yield return figure;
        if (BenchContext.SharedModel("vision/squeezenet1.1-224.onnx") is { } squeezenet)
            await foreach (Figure figure in CompareAsync("602 KB (SqueezeNet)", squeezenet, "data_0", [1, 3, 224, 224], 200, cancellation)) yield return figure;
    }

    private static async IAsyncEnumerable<Figure> CompareAsync(
        string name, string model, string input, long[] shape, int requests, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string folder = Directory.CreateTempSubdirectory("cloister-bench-").FullName;
        try
        {
            (string key, string certificate) = await ServeChild.CertificateAsync(folder, cancellation);
            (byte[] body, int header) = InferBodies.Binary(input, shape);
            await using ServerProcess ours = await ServerProcess.StartOursAsync(cancellation, model, key, certificate);
            await using ServerProcess peer = await ServerProcess.StartNodeAsync("server.mjs", cancellation, model, key, certificate);
            using var our = new HttpLoad(ours, ours.Ports[1], tls: false, body, header, Clients);
            using var other = new HttpLoad(peer, peer.Ports[1], tls: false, body, header, Clients);
            (LoadFigures o, LoadFigures p) = await Duel.RunAsync(our, other, requests, cancellation);
            yield return new Figure($"binary: {name}", o.CpuMicroseconds, p.CpuMicroseconds, "us CPU/req", "Node http + onnxruntime-node", 1.0, $"{Clients} clients");
            yield return new Figure($"binary: {name}, p99", o.P99Milliseconds, p.P99Milliseconds, "ms", "Node http + onnxruntime-node", 1.0, $"{Clients} clients");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

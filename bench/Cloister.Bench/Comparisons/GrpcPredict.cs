using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Cloister.Bench;

/// <summary>One ModelInfer with raw contents beside a grpc-js server with onnxruntime-node: the servers' CPU time. h2load drives both, without TLS.</summary>
internal sealed class GrpcPredict : IComparison
{
    private const int Clients = 4, Streams = 2, Rounds = 5;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(6);

    public string Name => "grpc-predict";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (!GrpcLoad.IsAvailable)
        {
            Console.Error.WriteLine("bench: grpc-predict needs h2load (nghttp2-client), which is not installed.");
            yield break;
        }
        if (BenchContext.SharedModel("vision/mnist.onnx") is { } mnist)
            yield return await CompareAsync("3 KB (mnist)", mnist, "Input3", [1, 1, 28, 28], 4_000, cancellation);
        yield return await CompareAsync("12 KB (shapes)", BenchContext.SampleModel, "image", [1, 3, 32, 32], 2_000, cancellation);
        if (BenchContext.SharedModel("vision/squeezenet1.1-224.onnx") is { } squeezenet)
            yield return await CompareAsync("602 KB (SqueezeNet)", squeezenet, "data_0", [1, 3, 224, 224], 200, cancellation);
    }

    private static async Task<Figure> CompareAsync(string name, string model, string input, long[] shape, int requests, CancellationToken cancellation)
    {
        string folder = Directory.CreateTempSubdirectory("cloister-bench-").FullName;
        try
        {
            (string key, string certificate) = await ServeChild.CertificateAsync(folder, cancellation);
            string body = Path.Combine(folder, "request.bin"), proto = Path.Combine(BenchContext.Root, "src", "Cloister.Serving", "OpenInference", "Grpc", "inference.proto");
            await File.WriteAllBytesAsync(body, InferBodies.Grpc(input, shape), cancellation);
            await using ServerProcess ours = await ServerProcess.StartOursAsync(cancellation, model, key, certificate);
            await using ServerProcess peer = await ServerProcess.StartNodeAsync("server-grpc.mjs", cancellation, model, proto, key, certificate);
            GrpcLoad our = new(ours, ours.Ports[2], body, Clients, Streams), other = new(peer, peer.Ports[1], body, Clients, Streams);
            foreach (GrpcLoad load in new[] { our, other })
            {
                await load.DemandAnswerAsync(cancellation);
                for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < WarmUp;) await load.RunAsync(requests, cancellation);
            }
            var ourTimes = new List<double>();
            var peerTimes = new List<double>();
            for (int round = 0; round < Rounds; round++)
            {
                ourTimes.Add((await our.RunAsync(requests, cancellation)).CpuMicroseconds);
                peerTimes.Add((await other.RunAsync(requests, cancellation)).CpuMicroseconds);
            }
            return new Figure($"gRPC: {name}", Samples.Median(ourTimes), Samples.Median(peerTimes), "us CPU/req", "grpc-js + onnxruntime-node", 0.7, $"{Clients} connections, {Streams} calls each");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

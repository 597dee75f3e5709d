using System.Runtime.CompilerServices;
using Cloister.Onnx.Model;

namespace Cloister.Bench;

/// <summary>
/// A network of six layers of 1024 x 1024 asked by 64 clients, one item each, with batching and without: the server's CPU time a request, and
/// requests a second. h2load asks over gRPC, since a client as heavy as the server would be half of what is measured.
/// </summary>
internal sealed class Batching : IComparison
{
    private const int Clients = 64, Layers = 6, Width = 1024, Requests = 6_400, Rounds = 5;

    public string Name => "batching";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (!GrpcLoad.IsAvailable)
        {
            Console.Error.WriteLine("bench: batching needs h2load (nghttp2-client), which is not installed.");
            yield break;
        }
        string folder = Directory.CreateTempSubdirectory("cloister-bench-").FullName;
        try
        {
            string model = Path.Combine(folder, "mlp.onnx");
            await File.WriteAllBytesAsync(model, Network().ToBytes(), cancellation);
            (string key, string certificate) = await ServeChild.CertificateAsync(folder, cancellation);
            string body = Path.Combine(folder, "request.bin");
            await File.WriteAllBytesAsync(body, InferBodies.Grpc("x", [1, Width]), cancellation);
            await using ServerProcess joined = await ServerProcess.StartOursAsync(cancellation, model, key, certificate, """{"weights":"packed","batching":{"maxBatchSize":32,"batchTimeoutMicroseconds":2000}}""");
            await using ServerProcess single = await ServerProcess.StartOursAsync(cancellation, model, key, certificate, """{"weights":"packed"}""");
            GrpcLoad with = new(joined, joined.Ports[2], body, Clients, 1), without = new(single, single.Ports[2], body, Clients, 1);
            List<LoadFigures> ours = [], peers = [];
            for (int round = 0; round <= Rounds; round++)
            {
                LoadFigures our = await with.RunAsync(Requests, cancellation), peer = await without.RunAsync(Requests, cancellation);
                if (round == 0) continue; // warms both up
                ours.Add(our);
                peers.Add(peer);
            }
            static double Median(List<LoadFigures> rounds, Func<LoadFigures, double> figure) => Samples.Median(rounds.Select(figure));
            yield return new Figure("batching: MLP 6 x 1024^2", Median(ours, f => f.CpuMicroseconds), Median(peers, f => f.CpuMicroseconds), "us CPU/req", "the same server without batching", 0.25, $"{Clients} clients");
            yield return new Figure("batching: MLP 6 x 1024^2, time", Median(ours, f => 1e6 / f.Rate), Median(peers, f => 1e6 / f.Rate), "us/req", "the same server without batching", 0.25, $"{Clients} clients on the same cores");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static ModelProto Network()
    {
        var random = new Random(1);
        var nodes = new List<NodeProto>();
        var weights = new List<TensorProto>();
        for (int layer = 0; layer < Layers; layer++)
        {
            float[] values = [.. Enumerable.Range(0, Width * Width).Select(_ => (random.NextSingle() - 0.5f) / 16)];
            weights.Add(TensorProto.Of($"w{layer}", [Width, Width], values));
            nodes.Add(new NodeProto { OpType = "MatMul", Inputs = [layer == 0 ? "x" : $"r{layer - 1}", $"w{layer}"], Outputs = [$"m{layer}"] });
            nodes.Add(new NodeProto { OpType = "Relu", Inputs = [$"m{layer}"], Outputs = [layer == Layers - 1 ? "y" : $"r{layer}"] });
        }
        return new ModelProto
        {
            IrVersion = 8,
            OpsetImport = [new OperatorSetIdProto { Version = 13 }],
            Graph = new GraphProto
            {
                Name = "mlp",
                Nodes = [.. nodes],
                Initializers = [.. weights],
                Inputs = [ValueInfoProto.Tensor("x", TensorDataType.Float, "N", Width)],
                Outputs = [ValueInfoProto.Tensor("y", TensorDataType.Float, "N", Width)],
            },
        };
    }
}

using System.Runtime.CompilerServices;
using Cloister.Onnx.Model;

namespace Cloister.Bench;

/// <summary>A network of six layers of 1024 x 1024 asked by 64 clients, one item each, with batching and without: the server's CPU time a request.</summary>
internal sealed class Batching : IComparison
{
    private const int Clients = 64, Layers = 6, Width = 1024, Requests = 6_400;

    public string Name => "batching";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string folder = Directory.CreateTempSubdirectory("cloister-bench-").FullName;
        try
        {
            string model = Path.Combine(folder, "mlp.onnx");
            await File.WriteAllBytesAsync(model, Network().ToBytes(), cancellation);
            (string key, string certificate) = await ServeChild.CertificateAsync(folder, cancellation);
            (byte[] body, int header) = InferBodies.Binary("x", [1, Width]);
            await using ServerProcess joined = await ServerProcess.StartOursAsync(cancellation, model, key, certificate, """{"weights":"packed","batching":{"maxBatchSize":64,"batchTimeoutMicroseconds":2000}}""");
            await using ServerProcess single = await ServerProcess.StartOursAsync(cancellation, model, key, certificate, """{"weights":"packed"}""");
            using var with = new HttpLoad(joined, joined.Ports[1], tls: false, body, header, Clients);
            using var without = new HttpLoad(single, single.Ports[1], tls: false, body, header, Clients);
            (LoadFigures o, LoadFigures p) = await Duel.RunAsync(with, without, Requests, cancellation);
            yield return new Figure("batching: MLP 6 x 1024^2", o.CpuMicroseconds, p.CpuMicroseconds, "us CPU/req", "the same server without batching", 0.25, $"{Clients} clients");
            yield return new Figure("batching: MLP 6 x 1024^2, time", 1e6 / o.Rate, 1e6 / p.Rate, "us/req", "the same server without batching", 0.25, $"{Clients} clients; the client's time included");
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

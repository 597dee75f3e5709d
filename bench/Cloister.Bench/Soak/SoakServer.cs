using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Onnx.Model;
using Cloister.Sealing;
using Cloister.Serving;
using Cloister.Workload;

namespace Cloister.Bench;

/// <summary>
/// The child process <c>soak KEY.pem CERT.pem</c>: serves a model that is replaced every two seconds (<c>half</c>, joined into batches), one with a
/// short queue (<c>net</c>) and one that runs until it is stopped (<c>loop</c>); prints its ports as <see cref="ServeChild"/> does.
/// </summary>
internal static class SoakServer
{
    private static readonly TimeSpan Replace = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(string keyPath, string certificatePath)
    {
        string store = Directory.CreateTempSubdirectory("cloister-soak-").FullName;
        try
        {
            using MakerKey maker = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);
            using SecretBytes key = SecretBytes.Random(SealedFile.KeySize);
            Directory.CreateDirectory(Path.Combine(store, "half"));
            await SealHalfAsync(store, 1, key, maker);
            await SealAsync(Path.Combine(store, "net.sealed"), "net", 1, await File.ReadAllBytesAsync(BenchContext.SampleModel), """{"concurrency":1,"queueLimit":4}""", key, maker);
            await SealAsync(Path.Combine(store, "loop.sealed"), "loop", 1, Loop().ToBytes(), """{"concurrency":1,"queueLimit":8}""", key, maker);
            using X509Certificate2 pair = X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
            using X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null);
            string[] names = ["half", "net", "loop"];
            var grants = new ServingGrants([.. names.Select(name => new ModelGrant(name, "", maker.Public.SubjectPublicKeyInfo, 1, SecretBytes.Copy(key.Span)))], [], names);
            var anyPort = new IPEndPoint(IPAddress.Loopback, 0);
            var options = new InferenceOptions
            {
                StoreFolder = store,
                Endpoint = anyPort,
                FurtherEndpoints = [new ServingEndpoint(anyPort) { Plaintext = true }, new ServingEndpoint(anyPort) { Plaintext = true, Http2Only = true }],
                BodyGrace = TimeSpan.FromSeconds(1.5),
                HeadersTimeout = TimeSpan.FromSeconds(5),
                Repository = new RepositoryOptions { PollInterval = TimeSpan.FromSeconds(1) },
            };
            await using InferenceHost host = await InferenceHost.StartAsync(options, grants, new CertificateIdentity(certificate));
            await host.ModelsLoaded;
            Console.WriteLine(string.Join(' ', host.Addresses.Select(address => new Uri(address).Port)));
            using var stop = new CancellationTokenSource();
            Task replacing = ReplaceAsync(store, key, maker, stop.Token);
            await Console.In.ReadLineAsync(CancellationToken.None);
            await stop.CancelAsync();
            await replacing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return 0;
        }
        finally
        {
            Directory.Delete(store, recursive: true);
        }
    }

    private static async Task ReplaceAsync(string store, SecretBytes key, MakerKey maker, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Replace);
        for (long version = 2; await timer.WaitForNextTickAsync(cancellation); version++)
        {
            await SealHalfAsync(store, version, key, maker);
            File.Delete(HalfPath(store, version - 2));
        }
    }

    private static string HalfPath(string store, long version) => Path.Combine(store, "half", version.ToString(CultureInfo.InvariantCulture) + ".sealed");

    private static async Task SealHalfAsync(string store, long version, SecretBytes key, MakerKey maker)
    {
        string path = HalfPath(store, version), unfinished = path + ".part";
        await SealAsync(unfinished, "half", version, Half().ToBytes(), """{"batching":{"maxBatchSize":32,"batchTimeoutMicroseconds":1000}}""", key, maker);
        File.Move(unfinished, path);
    }

    private static Task<string> SealAsync(string path, string name, long version, byte[] model, string configuration, SecretBytes key, MakerKey maker) =>
        SealedFile.SealAsync(path, new SealedContent(name, version, [SealedSource.FromBytes("model.onnx", model), SealedSource.FromBytes("config.json", Encoding.UTF8.GetBytes(configuration))]), key.Memory, maker);

    /// <summary>y = x / 2 + 2.</summary>
    private static ModelProto Half() => Model(
        [new NodeProto { OpType = "Mul", Inputs = ["x", "a"], Outputs = ["t"] }, new NodeProto { OpType = "Add", Inputs = ["t", "b"], Outputs = ["y"] }],
        [TensorProto.Of("a", [1], (ReadOnlySpan<float>)[0.5f]), TensorProto.Of("b", [1], (ReadOnlySpan<float>)[2f])],
        [ValueInfoProto.Tensor("x", TensorDataType.Float, "N")], [ValueInfoProto.Tensor("y", TensorDataType.Float, "N")]);

    /// <summary>y = x + rounds, one operator at a time.</summary>
    private static ModelProto Loop()
    {
        var body = new GraphProto
        {
            Name = "body",
            Nodes = [new NodeProto { OpType = "Identity", Inputs = ["on"], Outputs = ["still"] }, new NodeProto { OpType = "Add", Inputs = ["before", "one"], Outputs = ["after"] }],
            Initializers = [TensorProto.Of("one", [1], (ReadOnlySpan<float>)[1f])],
            Inputs = [ValueInfoProto.Tensor("i", TensorDataType.Int64), ValueInfoProto.Tensor("on", TensorDataType.Bool), ValueInfoProto.Tensor("before", TensorDataType.Float, 1)],
            Outputs = [ValueInfoProto.Tensor("still", TensorDataType.Bool), ValueInfoProto.Tensor("after", TensorDataType.Float, 1)],
        };
        return Model(
            [new NodeProto { OpType = "Loop", Inputs = ["rounds", "", "x"], Outputs = ["y"], Attributes = [new AttributeProto { Name = "body", Type = AttributeType.Graph, Graph = body }] }], [],
            [ValueInfoProto.Tensor("rounds", TensorDataType.Int64), ValueInfoProto.Tensor("x", TensorDataType.Float, 1)], [ValueInfoProto.Tensor("y", TensorDataType.Float, 1)]);
    }

    private static ModelProto Model(NodeProto[] nodes, TensorProto[] weights, ValueInfoProto[] inputs, ValueInfoProto[] outputs) => new()
    {
        IrVersion = 8,
        OpsetImport = [new OperatorSetIdProto { Version = 13 }],
        Graph = new GraphProto { Name = "soak", Nodes = [.. nodes], Initializers = [.. weights], Inputs = [.. inputs], Outputs = [.. outputs] },
    };
}

using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Sealing;

namespace Cloister.Bench;

/// <summary>
/// Dense models of 25 MB and 2.5 GB from a sealed file to a session that has answered once, beside the least that any encrypted model
/// needs: read, AES-GCM, CreateSession from memory. Each load runs in a process of its own, whose peak of memory is its own.
/// </summary>
internal sealed class SealedLarge : IComparison
{
    private const int Width = 1024, Parts = 16 << 20, NonceSize = 12, TagSize = 16;

    private sealed record Size(string Name, int Layers, bool External, int Rounds);

    public string Name => "sealed-large";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (Size size in (Size[])[new("25 MB, inside the model", 6, false, 7), new("25 MB, outside", 6, true, 7), new("2.5 GB", 625, true, 3)])
        {
            long bytes = (long)size.Layers * Width * Width * sizeof(float);
            string folder = Directory.CreateTempSubdirectory("cloister-bench-").FullName;
            try
            {
                if (new DriveInfo(folder).AvailableFreeSpace < 4 * bytes || GC.GetGCMemoryInfo().TotalAvailableMemoryBytes < 5 * bytes) continue;
                await PrepareAsync(folder, size, cancellation);
                var ours = new List<(double Milliseconds, double Peak)>();
                var peer = new List<(double Milliseconds, double Peak)>();
                for (int round = 0; round < size.Rounds; round++)
                {
                    ours.Add(await ChildAsync("sealed", folder, cancellation));
                    peer.Add(await ChildAsync("plain", folder, cancellation));
                }
                yield return new Figure($"sealed load: {size.Name}", Samples.Median(ours.Select(run => run.Milliseconds)), Samples.Median(peer.Select(run => run.Milliseconds)),
                    "ms", "read + AES-GCM + CreateSession", 1.25);
                yield return new Figure($"sealed peak memory: {size.Name}", Samples.Median(ours.Select(run => run.Peak)) / 1e6, bytes / 1e6,
                    "MB", "the weights", 1.1, $"the peer's peak: {Samples.Median(peer.Select(run => run.Peak)) / 1e6:0} MB");
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    /// <summary>One load in this process: prints the milliseconds and by how many bytes memory grew at its peak.</summary>
    public static async Task<int> LoadAsync(string kind, string folder)
    {
        byte[] key = await File.ReadAllBytesAsync(Path.Combine(folder, "key"));
        bool isSealed = kind == "sealed";
        // Once with a small model, so that neither side pays for compiling code and finding libraries.
        (await OpenAsync(isSealed, Path.Combine(folder, "small"), key)).Dispose();
        // Linux resets the peak (proc_pid_clear_refs): what is counted is what the load adds.
        await File.WriteAllTextAsync("/proc/self/clear_refs", "5");
        long before = StatusKilobytes("VmRSS:");
        long start = Stopwatch.GetTimestamp();
        using OrtSession session = await OpenAsync(isSealed, Path.Combine(folder, "large"), key);
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        long peak = StatusKilobytes("VmHWM:") - before;
        Answer(session);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{milliseconds} {peak * 1024}"));
        return 0;
    }

    private static async Task<(double Milliseconds, double Peak)> ChildAsync(string kind, string folder, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (string argument in (string[])["sealed-large-load", kind, folder]) start.ArgumentList.Add(argument);
        using Process child = Process.Start(start)!;
        string[] words = (await child.StandardOutput.ReadToEndAsync(cancellation)).Split(' ');
        await child.WaitForExitAsync(cancellation);
        return child.ExitCode == 0 && words.Length == 2
            ? (double.Parse(words[0], CultureInfo.InvariantCulture), double.Parse(words[1], CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"A load of kind {kind} ended with {child.ExitCode}.");
    }

    private static async Task<OrtSession> OpenAsync(bool isSealed, string folder, byte[] key) =>
        isSealed ? await OpenSealedAsync(folder, key) : await OpenPlainAsync(folder, key);

    private static async Task<OrtSession> OpenSealedAsync(string folder, byte[] key)
    {
        MakerPublicKey maker = MakerPublicKey.FromSpki(await File.ReadAllBytesAsync(Path.Combine(folder, "maker")));
        await using SealedReader reader = await SealedFile.OpenAsync(Path.Combine(folder, "model.sealed"), new SealedTrust(maker, null, 1, "model"), key);
        using PinnedBuffer model = await ReadAsync(reader, "model.onnx");
        using PinnedBuffer? outside = reader.Contains("weights.bin") ? await ReadAsync(reader, "weights.bin") : null;
        var weights = new Dictionary<string, ExternalWeights>();
        if (outside is not null) weights.Add("weights.bin", new ExternalWeights(outside));
        return OrtSession.FromPinned(model, new OrtSessionOptions { IntraThreads = 1 }, weights, 16 << 20);
    }

    private static async Task<PinnedBuffer> ReadAsync(SealedReader reader, string entry)
    {
        PinnedBuffer buffer = PinnedBuffer.Allocate(reader.LengthOf(entry), new LockedPages());
        for (long at = 0; at < buffer.Length; at += 256 << 20)
            await reader.ReadAsync(entry, at, buffer.Memory(at, (int)Math.Min(256 << 20, buffer.Length - at)));
        return buffer;
    }

    // The peer gets the same weights in parts of 16 MiB, for no AES-GCM call takes more than 2 GiB.
    private static async Task<OrtSession> OpenPlainAsync(string folder, byte[] key)
    {
        using PinnedBuffer model = await DecryptAsync(Path.Combine(folder, "model.gcm"), key);
        string outside = Path.Combine(folder, "weights.gcm");
        ReadOnlyMemory<byte> bytes = model.Memory(0, (int)model.Length);
        if (!File.Exists(outside)) return OrtSession.FromMemory(bytes, new OrtSessionOptions { IntraThreads = 1 });
        using PinnedBuffer weights = await DecryptAsync(outside, key);
        var external = new Dictionary<string, ExternalWeights> { ["weights.bin"] = new(weights) };
        // As any caller of ONNX Runtime does: the weights are handed over for it to copy.
        return OrtSession.FromPinned(model, new OrtSessionOptions { IntraThreads = 1 }, external, long.MaxValue);
    }

    private static async Task<PinnedBuffer> DecryptAsync(string path, byte[] key)
    {
        await using FileStream file = new(path, new FileStreamOptions { BufferSize = 0 });
        byte[] part = new byte[NonceSize + Parts + TagSize];
        long parts = (file.Length + part.Length - 1) / part.Length;
        PinnedBuffer buffer = PinnedBuffer.Allocate(file.Length - parts * (NonceSize + TagSize));
        using var cipher = new AesGcm(key, TagSize);
        for (long at = 0; at < buffer.Length; at += Parts)
        {
            int size = (int)Math.Min(Parts, buffer.Length - at);
            await file.ReadExactlyAsync(part.AsMemory(0, NonceSize + size + TagSize));
            cipher.Decrypt(part.AsSpan(0, NonceSize), part.AsSpan(NonceSize, size), part.AsSpan(NonceSize + size, TagSize), buffer.Span(at, size));
        }
        return buffer;
    }

    private static async Task PrepareAsync(string folder, Size size, CancellationToken cancellation)
    {
        byte[] key = RandomNumberGenerator.GetBytes(SealedFile.KeySize);
        await File.WriteAllBytesAsync(Path.Combine(folder, "key"), key, cancellation);
        using MakerKey maker = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);
        foreach ((string name, int layers) in new[] { ("small", 1), ("large", size.Layers) })
        {
            string place = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
            await File.WriteAllBytesAsync(Path.Combine(place, "maker"), maker.Public.SubjectPublicKeyInfo.ToArray(), cancellation);
            string model = Path.Combine(place, "model.onnx"), weights = Path.Combine(place, "weights.bin");
            await File.WriteAllBytesAsync(model, Dense(layers, size.External), cancellation);
            List<SealedSource> sources = [SealedSource.FromFile("model.onnx", model)];
            if (size.External)
            {
                await WriteWeightsAsync(weights, layers, cancellation);
                sources.Add(SealedSource.FromFile("weights.bin", weights));
                await EncryptAsync(weights, Path.Combine(place, "weights.gcm"), key, cancellation);
            }
            await EncryptAsync(model, Path.Combine(place, "model.gcm"), key, cancellation);
            await SealedFile.SealAsync(Path.Combine(place, "model.sealed"), new SealedContent("model", 1, [.. sources]), key, maker, null, cancellation);
            File.Delete(model);
            File.Delete(weights);
        }
    }

    private static byte[] Dense(int layers, bool external)
    {
        const long bytes = (long)Width * Width * sizeof(float);
        var initializers = new List<TensorProto>();
        var nodes = new List<NodeProto>();
        for (int layer = 0; layer < layers; layer++)
        {
            initializers.Add(external
                ? new TensorProto
                {
                    Name = $"w{layer}", DataType = TensorDataType.Float, Dims = [Width, Width], DataLocation = 1,
                    ExternalData =
                    [
                        new StringStringEntryProto { Key = "location", Value = "weights.bin" },
                        new StringStringEntryProto { Key = "offset", Value = (layer * bytes).ToString(CultureInfo.InvariantCulture) },
                        new StringStringEntryProto { Key = "length", Value = bytes.ToString(CultureInfo.InvariantCulture) },
                    ],
                }
                : TensorProto.Of($"w{layer}", [Width, Width], Row(layer)));
            nodes.Add(new NodeProto { OpType = "MatMul", Inputs = [$"x{layer}", $"w{layer}"], Outputs = [$"m{layer}"] });
            nodes.Add(new NodeProto { OpType = "Relu", Inputs = [$"m{layer}"], Outputs = [$"x{layer + 1}"] });
        }
        return new ModelProto
        {
            IrVersion = 8,
            OpsetImport = [new OperatorSetIdProto { Version = 17 }],
            Graph = new GraphProto
            {
                Name = "dense", Nodes = [.. nodes], Initializers = [.. initializers],
                Inputs = [ValueInfoProto.Tensor("x0", TensorDataType.Float, "n", Width)], Outputs = [ValueInfoProto.Tensor($"x{layers}", TensorDataType.Float, "n", Width)],
            },
        }.ToBytes();
    }

    private static float[] Row(int seed)
    {
        var random = new Random(seed);
        float[] values = new float[Width * Width];
        for (int i = 0; i < values.Length; i++) values[i] = (random.NextSingle() - 0.5f) / 8;
        return values;
    }

    private static async Task WriteWeightsAsync(string path, int layers, CancellationToken cancellation)
    {
        await using FileStream file = File.Create(path);
        byte[] bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(Row(1)).ToArray();
        for (int layer = 0; layer < layers; layer++) await file.WriteAsync(bytes, cancellation);
    }

    private static async Task EncryptAsync(string from, string to, byte[] key, CancellationToken cancellation)
    {
        await using FileStream input = new(from, new FileStreamOptions { BufferSize = 0 }), output = File.Create(to);
        byte[] plain = new byte[Parts], part = new byte[NonceSize + Parts + TagSize];
        using var cipher = new AesGcm(key, TagSize);
        for (int size; (size = await input.ReadAtLeastAsync(plain, Parts, throwOnEndOfStream: false, cancellation)) > 0;)
        {
            RandomNumberGenerator.Fill(part.AsSpan(0, NonceSize));
            cipher.Encrypt(part.AsSpan(0, NonceSize), plain.AsSpan(0, size), part.AsSpan(NonceSize, size), part.AsSpan(NonceSize + size, TagSize));
            await output.WriteAsync(part.AsMemory(0, NonceSize + size + TagSize), cancellation);
        }
    }

    private static void Answer(OrtSession session)
    {
        using OrtTensor input = OrtTensor.Allocate<float>([1, Width]);
        foreach (OrtTensor output in session.Run(new Dictionary<string, OrtTensor> { ["x0"] = input })) output.Dispose();
    }

    private static long StatusKilobytes(string field) => long.Parse(
        File.ReadLines("/proc/self/status").First(line => line.StartsWith(field, StringComparison.Ordinal))[field.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(),
        CultureInfo.InvariantCulture);
}

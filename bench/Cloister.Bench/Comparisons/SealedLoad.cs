using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Cloister.Onnx.Runtime;
using Cloister.Sealing;

namespace Cloister.Bench;

/// <summary>
/// From a sealed file to a session that answers, with the maker's signature checked, beside the least that any encrypted
/// model needs: read the file, one AES-GCM decryption, CreateSession from memory.
/// </summary>
internal sealed class SealedLoad : IComparison
{
    private const int Rounds = 9, NonceSize = 12, TagSize = 16;

    public string Name => "sealed-load";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        yield return await CompareAsync("shapes", BenchContext.SampleModel, cancellation);
        if (BenchContext.SharedModel("vision/squeezenet1.1-224.onnx") is { } squeezenet)
            yield return await CompareAsync("SqueezeNet 1.1, 5 MB", squeezenet, cancellation);
        if (BenchContext.SharedModel("vision/mobilenetv2-1.0-224.onnx") is { } mobilenet)
            yield return await CompareAsync("MobileNetV2, 14 MB", mobilenet, cancellation);
    }

    private static async Task<Figure> CompareAsync(string name, string model, CancellationToken cancellation)
    {
        string folder = Directory.CreateTempSubdirectory("cloister-bench-").FullName;
        try
        {
            byte[] key = RandomNumberGenerator.GetBytes(SealedFile.KeySize);
            using MakerKey maker = MakerKey.Generate(SignatureAlgorithm.Ed25519);
            string sealedPath = Path.Combine(folder, "model.sealed"), plainPath = Path.Combine(folder, "model.gcm");
            await SealedFile.SealAsync(sealedPath, new SealedContent("model", 1, [SealedSource.FromFile("model.onnx", model)]), key, maker, null, cancellation);
            await EncryptAsync(model, plainPath, key, cancellation);
            var trust = new SealedTrust(maker.Public, null, 1, "model");
            var ours = new List<double>();
            var peer = new List<double>();
            for (int round = 0; round <= Rounds; round++)
            {
                double sealedTime = await TimeAsync(() => LoadSealedAsync(sealedPath, trust, key, cancellation));
                double plainTime = await TimeAsync(() => LoadPlainAsync(plainPath, key, cancellation));
                if (round > 0)
                {
                    ours.Add(sealedTime);
                    peer.Add(plainTime);
                }
            }
            return new Figure($"sealed load: {name}", Samples.Median(ours), Samples.Median(peer), "ms", "read + AES-GCM + CreateSession", 1.25);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<double> TimeAsync(Func<Task<OrtSession>> load)
    {
        long start = Stopwatch.GetTimestamp();
        using OrtSession session = await load();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static async Task<OrtSession> LoadSealedAsync(string path, SealedTrust trust, byte[] key, CancellationToken cancellation)
    {
        await using SealedReader reader = await SealedFile.OpenAsync(path, trust, key, cancellation);
        using PinnedBuffer model = PinnedBuffer.Allocate(reader.LengthOf("model.onnx"), new LockedPages());
        await reader.ReadAsync("model.onnx", model.Memory(0, (int)model.Length), cancellation: cancellation);
        return OrtSession.FromPinned(model, new OrtSessionOptions { IntraThreads = 1 }, null, inPlaceFrom: 16 << 20);
    }

    private static async Task<OrtSession> LoadPlainAsync(string path, byte[] key, CancellationToken cancellation)
    {
        byte[] file = await File.ReadAllBytesAsync(path, cancellation);
        byte[] model = GC.AllocateUninitializedArray<byte>(file.Length - NonceSize - TagSize, pinned: true);
        using (var cipher = new AesGcm(key, TagSize))
            cipher.Decrypt(file.AsSpan(0, NonceSize), file.AsSpan(NonceSize, model.Length), file.AsSpan(file.Length - TagSize), model);
        return OrtSession.FromMemory(model, new OrtSessionOptions { IntraThreads = 1 });
    }

    private static async Task EncryptAsync(string model, string path, byte[] key, CancellationToken cancellation)
    {
        byte[] plain = await File.ReadAllBytesAsync(model, cancellation);
        byte[] file = new byte[NonceSize + plain.Length + TagSize];
        RandomNumberGenerator.Fill(file.AsSpan(0, NonceSize));
        using (var cipher = new AesGcm(key, TagSize))
            cipher.Encrypt(file.AsSpan(0, NonceSize), plain, file.AsSpan(NonceSize, plain.Length), file.AsSpan(file.Length - TagSize));
        await File.WriteAllBytesAsync(path, file, cancellation);
    }
}

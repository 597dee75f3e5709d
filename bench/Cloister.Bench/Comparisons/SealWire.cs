using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire.Seal;

namespace Cloister.Bench;

/// <summary>
/// Reading and writing SEAL's ciphertexts, one thread: what a server spends on a client with SEAL before and after it computes, beside node-seal's loading
/// and saving of such ciphertexts, where tests/Cloister.Homomorphic.Tests/node/install has installed it.
/// </summary>
internal sealed class SealWire : IComparison
{
    private static readonly string SealFolder = Path.Combine(BenchContext.Root, "tests", "Cloister.Homomorphic.Tests", "node");

    public string Name => "seal-wire";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string node = Path.Combine(SealFolder, "node_modules", ".bin", "node");
        if (!File.Exists(node)) yield break;
        foreach ((int degree, int rounds) in (IEnumerable<(int, int)>)[(2048, 400), (4096, 200), (8192, 100)])
        {
            RingParameters ring = RingParameters.Standard(degree);
            RlweParameters parameters = RlweParameters.Create(ring, 65537, ring.Basis.Count > 1 ? 1 : 0);
            using SecretKey key = SecretKey.Generate(parameters);
            SealVersion version = SealVersion.NodeSeal7;
            ulong[] message = [.. Enumerable.Range(0, degree).Select(i => (ulong)i)];
            byte[] seeded = SealFormat.Encrypt(message, key, version), zlib = SealFormat.Encrypt(message, key, version, SealCompression.Zlib);
            using Ciphertext ciphertext = SealFormat.ReadCiphertext(seeded, parameters, out _);
            byte[] whole = SealFormat.WriteCiphertext(ciphertext, version);
            JsonNode peer = await BenchContext.RunNodeAsync("seal-wire.mjs", node, cancellation, SealFolder, Convert.ToBase64String(SealParameters.Of(parameters).Write(version)), rounds.ToString(System.Globalization.CultureInfo.InvariantCulture));
            string what = $"seal-wire, n = {degree}, {ring.Basis.Count} primes";
            yield return Of("read, seeded", () => SealFormat.ReadCiphertext(seeded, parameters, out _).Dispose(), "seeded");
            yield return Of("read, whole", () => SealFormat.ReadCiphertext(whole, parameters, out _).Dispose(), "whole");
            yield return Of("read, seeded, zlib", () => SealFormat.ReadCiphertext(zlib, parameters, out _).Dispose(), "zlib");
            yield return Of("write", () => SealFormat.WriteCiphertext(ciphertext, version), "save");
            yield return Of("write, zlib", () => SealFormat.WriteCiphertext(ciphertext, version, SealCompression.Zlib), "saveZlib");

            Figure Of(string name, Action action, string theirs) => new($"{what}: {name}", ShortBatches.Least(action, 5), (double)peer[theirs]!, "us", "node-seal", double.PositiveInfinity);
        }
    }
}

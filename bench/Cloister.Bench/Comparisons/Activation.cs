using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Cloister.Platform.Simulation;

namespace Cloister.Bench;

/// <summary>
/// What an activation costs the coordinator behind its TLS connections; then activations over new TLS connections from a coordinator in a process of
/// its own: CPU time for one, handshake and all, beside the sum of the P-384 operations that one takes, and how many a second one client and eight get.
/// The clients run on the same cores and pay for their side of the handshakes.
/// </summary>
internal sealed class Activation : IComparison
{
    private const int WarmUps = 240, Rounds = 5, Alone = 60, Together = 160;
    private const double Bar = 1.3, NothingBar = 1.05, LeafBar = 1.0 / 3;
    private const string Recorded = "MarbleRun 1.9.1, recorded, 8 clients", BinaryVariable = "CLOISTER_BENCH_MARBLERUN";

    private static readonly Case[] Cases =
    [
        new("plain", "", "", 444),
        new("unused RSA-2048 secret", """, "unused": { "Type": "cert-rsa", "Size": 2048, "ValidFor": 7, "Cert": {} }""", "", 6),
        new("MaxActivations", "", """, "MaxActivations": 1000000""", 231),
    ];

    public string Name => "activation";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using ECDsa hostKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // MarbleRun's wire: the handshake signs, verifies the client's proof, and .NET the signature of its self-signed certificate; the request's
        // signature is verified with the key that the connection proved; the marble's key is made and its certificate signed.
        var marbleRun = new Wire("MarbleRun's wire", "/api/v2/manifest", ECCurve.NamedCurves.nistP384, null,
            $$"""{ "Packages": { "p": { "UniqueID": "{{new string('7', 64)}}", "Debug": true } }""",
            p384 => p384.Generate + (2 * p384.Sign) + (3 * p384.Verify));
        var issuer = new TestOnlyIssuer(hostKey, Convert.FromHexString(ActivationLoad.Measurement));
        string package = ActivationLoad.Package(hostKey);
        // Cloister's mode with a P-256 key: the handshake and the certificate are signed.
        var own = new Wire("own mode, P-256", "/api/v3/manifest", ECCurve.NamedCurves.nistP256, issuer, package, p384 => 2 * p384.Sign);
        var own384 = new Wire("own mode, P-384", "/api/v3/manifest", ECCurve.NamedCurves.nistP384, issuer, package, p384 => (2 * p384.Sign) + (3 * p384.Verify));

        foreach ((bool p384, bool limited, int clients) in new[] { (false, false, 1), (true, false, 1), (false, true, 1), (false, true, 8), (true, true, 8) })
        {
            (double cpu, double bare) = await BareActivation.MeasureAsync(p384, limited, clients, cancellation);
            yield return new Figure($"behind TLS, {(p384 ? "P-384" : "P-256")}, {(limited ? $"MaxActivations, {clients} at once" : "plain")}: CPU", cpu, bare, "us", "its own P-384 operations", Bar);
        }
        var plain = new Dictionary<Wire, Measured>();
        foreach ((Wire wire, Case kind) in new[] { marbleRun, own, own384 }.SelectMany(wire => Cases.Select(kind => (wire, kind))))
        {
            if (await MeasureAsync(wire, kind, () => MeasuredCoordinator.StartAsync(hostKey, cancellation), cancellation) is not { } measured)
                continue;
            string name = $"{wire.Name}, {kind.Name}";
            plain.TryAdd(wire, measured);
            yield return new Figure($"{name}: CPU", measured.Cpu, measured.Bare, "us", "its own P-384 operations", Bar);
            if (kind == Cases[1])
                yield return new Figure($"{name}: CPU", measured.Cpu, plain[wire].Cpu, "us", "without that secret", NothingBar);
            yield return new Figure($"{name}: 1 client", measured.Alone, kind.RecordedRate, "a second", Recorded, double.PositiveInfinity);
            yield return new Figure($"{name}: 8 clients", measured.Together, kind.RecordedRate, "a second", Recorded, double.PositiveInfinity);
        }
        yield return new Figure("own mode, P-256 beside P-384 keys: CPU", plain[own].Cpu, plain[own384].Cpu, "us", "P-384 keys in own mode", LeafBar);
        yield return new Figure("own mode, P-256 beside MarbleRun's wire: CPU", plain[own].Cpu, plain[marbleRun].Cpu, "us", "MarbleRun's wire", double.PositiveInfinity);
        if (Environment.GetEnvironmentVariable(BinaryVariable) is not { Length: > 0 } binary)
            yield break;
        foreach (Case kind in Cases)
        {
            if (await MeasureAsync(marbleRun, kind, () => MeasuredCoordinator.StartAsync(hostKey, cancellation), cancellation) is not { } ours
                || await MeasureAsync(marbleRun, kind, () => MeasuredCoordinator.StartMarbleRunAsync(binary, cancellation), cancellation) is not { } theirs)
                continue;
            yield return new Figure($"{kind.Name}: CPU", ours.Cpu, theirs.Cpu, "us", "MarbleRun's binary", double.PositiveInfinity);
            yield return new Figure($"{kind.Name}: 1 client", ours.Alone, theirs.Alone, "a second", "MarbleRun's binary", double.PositiveInfinity);
            yield return new Figure($"{kind.Name}: 8 clients", ours.Together, theirs.Together, "a second", "MarbleRun's binary", double.PositiveInfinity);
        }
    }

    private static async Task<Measured?> MeasureAsync(Wire wire, Case kind, Func<Task<MeasuredCoordinator>> start, CancellationToken cancellation)
    {
        await using MeasuredCoordinator coordinator = await start();
        string manifest = $$"""{{wire.Manifest}}, "Marbles": { "m": { "Package": "p"{{kind.Marble}}, "Parameters": { "Env": { "KEY": "{{"{{ hex .Secrets.key }}"}}" } } } }, "Secrets": { "key": { "Type": "symmetric-key", "Size": 256 }{{kind.Secrets}} } }""";
        if (!await coordinator.SetManifestAsync(wire.Path, manifest, cancellation))
            return null;
        using var load = new ActivationLoad(coordinator, wire.Curve, wire.Issuer);
        await load.MeasureAsync(8, WarmUps, cancellation);
        var alone = new List<double>();
        var together = new List<double>();
        var ratios = new List<(double Cpu, double Bare)>();
        for (int round = 0; round < Rounds; round++)
        {
            double before = wire.Bare(CurveOperations.Measure(ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384));
            (double aloneRate, double aloneCpu) = await load.MeasureAsync(1, Alone, cancellation);
            (double rate, double cpu) = await load.MeasureAsync(8, Together, cancellation);
            double after = wire.Bare(CurveOperations.Measure(ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384));
            alone.Add(aloneRate);
            together.Add(rate);
            ratios.Add((((aloneCpu * Alone) + (cpu * Together)) / (Alone + Together), (before + after) / 2));
        }
        (double medianCpu, double bare) = ratios.OrderBy(ratio => ratio.Cpu / ratio.Bare).ElementAt(Rounds / 2);
        return new Measured(medianCpu, bare, Samples.Median(alone), Samples.Median(together));
    }

    /// <param name="Name">As printed.</param>
    /// <param name="Secrets">Members after the one secret that the marble uses.</param>
    /// <param name="Marble">Members after the marble's package.</param>
    /// <param name="RecordedRate">MarbleRun's activations a second on a like machine.</param>
    private sealed record Case(string Name, string Secrets, string Marble, double RecordedRate);

    /// <param name="Name">As printed.</param>
    /// <param name="Path">Where its manifest is set.</param>
    /// <param name="Curve">Of the workloads' keys.</param>
    /// <param name="Issuer">Of the workloads' evidence; null on MarbleRun's wire.</param>
    /// <param name="Manifest">Its beginning.</param>
    /// <param name="Bare">The P-384 operations that the coordinator does for one activation.</param>
    private sealed record Wire(string Name, string Path, ECCurve Curve, TestOnlyIssuer? Issuer, string Manifest, Func<CurveOperations, double> Bare);

    private sealed record Measured(double Cpu, double Bare, double Alone, double Together);
}

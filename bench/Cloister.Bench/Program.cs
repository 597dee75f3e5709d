using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Bench;

// bench [name ...] [--out FILE] [--minutes N]: runs the comparisons named, or all but the soak; prints a table and writes JSON.
if (args is ["serve", ..])
    return await ServeChild.RunAsync(args[1..]);
if (args is ["soak-server", { } soakKey, { } soakCertificate])
    return await SoakServer.RunAsync(soakKey, soakCertificate);
if (args is ["coordinate", { } folder])
    return await MeasuredCoordinator.CoordinateAsync(folder);
if (args is ["activate", { } curve, { } limit, { } clients])
    return await BareActivation.RunAsync(curve, limit, int.Parse(clients, CultureInfo.InvariantCulture));

if (args is ["accelerate", { } address])
    return await AcceleratorChild.ServeAsync(address);
if (args is ["sealed-large-load", { } kind, { } place])
    return await SealedLarge.LoadAsync(kind, place);

IComparison[] all = [new BindingOverhead(), new SealedLoad(), new SealedLarge(), new JsonPredict(), new BinaryPredict(), new GrpcPredict(), new Batching(), new QuoteVerification(), new QuotePeers(), new Activation(), new HostileInput(), new Transform(), new Lattice(), new EncryptedLinear(), new EncryptedForest(), new SealWire(), new MeasuredMachines(), new PartitionedInference(), new AcceleratorLink(), new Soak()];
int outAt = Array.IndexOf(args, "--out");
string output = outAt >= 0 && outAt + 1 < args.Length ? args[outAt + 1] : "bench.json";
string[] names = outAt >= 0 ? [.. args[..outAt], .. args[Math.Min(args.Length, outAt + 2)..]] : args;
int minutesAt = Array.IndexOf(names, "--minutes");
double minutes = minutesAt >= 0 && minutesAt + 1 < names.Length ? double.Parse(names[minutesAt + 1], CultureInfo.InvariantCulture) : 10;
if (minutesAt >= 0) names = [.. names[..minutesAt], .. names[Math.Min(names.Length, minutesAt + 2)..]];
if (names.Except(all.Select(comparison => comparison.Name)).ToArray() is { Length: > 0 } unknown)
{
    Console.Error.WriteLine($"bench: no comparison is called '{unknown[0]}'; there are: {string.Join(", ", all.Select(comparison => comparison.Name))}");
    return 2;
}

var figures = new List<Figure>();
Console.WriteLine($"{"comparison",-52} {"ours",10} {"peer",10} {"unit",-14} {"ratio",7} {"bar",6}  peer");
foreach (IComparison comparison in all.Where(comparison => names.Length == 0 ? comparison is not Soak : names.Contains(comparison.Name)))
{
    await foreach (Figure figure in comparison.RunAsync(new BenchContext { SoakTime = TimeSpan.FromMinutes(minutes) }, CancellationToken.None))
    {
        figures.Add(figure);
        string bar = double.IsFinite(figure.Bar) ? figure.Bar.ToString("0.00", CultureInfo.InvariantCulture) : "-";
        string verdict = !double.IsFinite(figure.Bar) ? "" : figure.Met ? "" : "  MISSED";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{figure.Name,-52} {figure.Ours,10:0.00} {figure.Peer,10:0.00} {figure.Unit,-14} {figure.Ratio,7:0.000} {bar,6}  {figure.PeerName}{verdict}"));
    }
}
var document = new JsonObject
{
    ["machine"] = new JsonObject { ["cores"] = Environment.ProcessorCount, ["architecture"] = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString() },
    ["figures"] = new JsonArray([.. figures.Select(figure => (JsonNode)figure.ToJson())]),
};
await File.WriteAllTextAsync(output, document.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
return 0;

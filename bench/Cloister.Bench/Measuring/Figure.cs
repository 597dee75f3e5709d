using System.Text.Json.Nodes;

namespace Cloister.Bench;

/// <summary>One comparison's outcome: ours beside a peer's, in the same unit and from the same run, and the bar for their ratio.</summary>
internal sealed record Figure(string Name, double Ours, double Peer, string Unit, string PeerName, double Bar, string Remark = "")
{
    public double Ratio => Ours / Peer;

    public bool Met => Ratio <= Bar;

    public JsonObject ToJson() => new()
    {
        ["name"] = Name,
        ["ours"] = Ours,
        ["peer"] = Peer,
        ["unit"] = Unit,
        ["peerName"] = PeerName,
        ["ratio"] = Math.Round(Ratio, 4),
        ["bar"] = double.IsFinite(Bar) ? Bar : null,
        ["met"] = double.IsFinite(Bar) ? Met : null,
        ["remark"] = Remark,
    };
}

/// <summary>Something that can be measured beside a peer.</summary>
internal interface IComparison
{
    string Name { get; }

    IAsyncEnumerable<Figure> RunAsync(BenchContext context, CancellationToken cancellation);
}

namespace Cloister.Bench;

/// <summary>Ours and a peer under the same load, in turns.</summary>
internal static class Duel
{
    private const int Rounds = 5;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(6);

    /// <summary>Warms both up, then measures them in turns; gives the medians.</summary>
    public static async Task<(LoadFigures Ours, LoadFigures Peer)> RunAsync(HttpLoad ours, HttpLoad peer, int requests, CancellationToken cancellation)
    {
        await ours.WarmUpAsync(WarmUp, cancellation);
        await peer.WarmUpAsync(WarmUp, cancellation);
        List<LoadFigures> our = [], other = [];
        for (int round = 0; round < Rounds; round++)
        {
            our.Add(await ours.RunAsync(requests, cancellation));
            other.Add(await peer.RunAsync(requests, cancellation));
        }
        return (Median(our), Median(other));
    }

    private static LoadFigures Median(List<LoadFigures> rounds) => new(
        Samples.Median(rounds.Select(round => round.CpuMicroseconds)), Samples.Median(rounds.Select(round => round.P99Milliseconds)), Samples.Median(rounds.Select(round => round.Rate)));
}

using System.Globalization;
using System.Runtime.CompilerServices;

namespace Cloister.Bench;

/// <summary>
/// Clients of every kind against one server that replaces a model every two seconds: at the end every request was answered, refused
/// with a reason, or left by its own client, and the server's memory, threads and handles are what they were at the beginning.
/// </summary>
internal sealed class Soak : IComparison
{
    public string Name => "soak";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string folder = Directory.CreateTempSubdirectory("cloister-bench-").FullName;
        try
        {
            (string key, string certificate) = await ServeChild.CertificateAsync(folder, cancellation);
            await using ServerProcess server = await ServerProcess.StartAsync(Environment.ProcessPath!, ["soak-server", key, certificate], cancellation);
            var tally = new SoakTally();
            var readings = new List<Reading>();
            using (var clients = new SoakClients(server, tally))
            {
                using var stop = new CancellationTokenSource(context.SoakTime);
                int seed = 0;
                Task[] running = [.. clients.Kinds().SelectMany(kind => Enumerable.Range(0, kind.Count).Select(_ => clients.RunAsync(kind.Kind, seed++, kind.Send, stop.Token)))];
                Task all = Task.WhenAll(running);
                while (!all.IsCompleted)
                {
                    await Task.WhenAny(all, Task.Delay(TimeSpan.FromSeconds(1), cancellation));
                    readings.Add(Reading.Of(server.Id));
                }
                await all;
            }
            await Task.Delay(TimeSpan.FromSeconds(10), cancellation); // what was left open by clients is closed by then
            Reading rest = Reading.Of(server.Id);
            foreach ((string end, long count) in tally.Ends.OrderBy(end => end.Key, StringComparer.Ordinal)) Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {count,9} {end}"));
            foreach (string loss in tally.Losses) Console.Error.WriteLine($"  LOST {loss}");
            long ended = tally.Ends.Values.Sum();
            yield return new Figure("soak: sent, neither answered nor refused", tally.Sent - ended, tally.Sent, "requests", "sent", 0, $"{context.SoakTime.TotalMinutes} minutes");
            // The first third is for caches to fill and code to be compiled.
            Reading[] early = [.. readings.Skip(readings.Count / 3).Take(readings.Count / 3)], late = [.. readings.Skip(readings.Count * 2 / 3)];
            yield return new Figure("soak: resident memory", Samples.Median(late.Select(one => one.Megabytes)), Samples.Median(early.Select(one => one.Megabytes)), "MB", "the middle third", 1.1);
            yield return new Figure("soak: threads", Samples.Median(late.Select(one => (double)one.Threads)), Samples.Median(early.Select(one => (double)one.Threads)), "threads", "the middle third", 1.1);
            yield return new Figure("soak: handles, at rest", rest.Handles, Samples.Median(early.Select(one => (double)one.Handles)), "handles", "the middle third, under load", 1.0);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private readonly record struct Reading(double Megabytes, int Threads, int Handles)
    {
        public static Reading Of(int process)
        {
            string[] status = File.ReadAllLines($"/proc/{process}/status");
            long Field(string name) => long.Parse(status.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(default(char[]), StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
            return new Reading(Field("VmRSS:") / 1024.0, (int)Field("Threads:"), Directory.GetFileSystemEntries($"/proc/{process}/fd").Length);
        }
    }
}

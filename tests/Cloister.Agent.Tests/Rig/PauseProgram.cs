using System.Diagnostics;
using Cloister.Agent.Disks;

namespace Cloister.Agent.Tests.Rig;

/// <summary>What the tests' executable does as the first process of processes of its own: has programs that never rest stand still, and go on.</summary>
internal static class PauseProgram
{
    public const string Verb = "pause";

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1), s_look = TimeSpan.FromMilliseconds(20);

    /// <summary>0: they stood, and went on; otherwise which of it failed.</summary>
    public static async Task<int> RunAsync(string counter)
    {
        // A shell that counts, and one whose child does.
        string loop = $"i=0; while :; do i=$((i+1)); echo $i > {counter}.$0; done";
        using Process one = Process.Start("sh", ["-c", loop, "one"]), two = Process.Start("sh", ["-c", $"sh -c \"$0\" two; true", loop]);
        try
        {
            string[] files = [counter + ".one", counter + ".two"];
            if (!await ChangedAsync(files, ["", ""])) return 2;
            string[] stood;
            using (await ProgramPause.BeginAsync(TimeProvider.System, CancellationToken.None))
            {
                stood = Read(files);
                await Task.Delay(TimeSpan.FromMilliseconds(200));
                if (!stood.SequenceEqual(Read(files))) return 3;
            }
            return await ChangedAsync(files, stood) ? 0 : 4;
        }
        finally
        {
            one.Kill();
            two.Kill(entireProcessTree: true);
        }
    }

    private static async Task<bool> ChangedAsync(string[] files, string[] before)
    {
        for (long began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < s_patience; await Task.Delay(s_look))
        {
            string[] now = Read(files);
            if (now.Zip(before).All(pair => pair.First.Length > 0 && pair.First != pair.Second)) return true;
        }
        return false;
    }

    private static string[] Read(string[] files) => [.. files.Select(file => File.Exists(file) ? File.ReadAllText(file) : "")];
}

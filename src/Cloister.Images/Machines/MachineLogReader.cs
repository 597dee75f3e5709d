using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;

namespace Cloister.Images.Machines;

/// <summary>Reads a machine's log, while it is written too.</summary>
[SupportedOSPlatform("linux")]
public static class MachineLogReader
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    /// <summary>The news of the machine's last start, and with <paramref name="follow"/> those to come until it ends.</summary>
    public static async IAsyncEnumerable<MachineNews> ReadAsync(MachineFolder folder, bool follow, [EnumeratorCancellation] CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(folder);
        await foreach (string line in LinesAsync(folder, folder.Log, follow, cancellation))
        {
            if (Parse(line) is { } news)
                yield return news;
        }
    }

    /// <summary>The lines of one of the machine's files, likewise.</summary>
    public static async IAsyncEnumerable<string> LinesAsync(MachineFolder folder, string path, bool follow, [EnumeratorCancellation] CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(folder);
        using var line = new MemoryStream();
        byte[] buffer = new byte[64 << 10];
        for (bool over = false; !over;)
        {
            over = !follow || IsOver(folder); // asked before the rest is read: nothing is written afterwards
            if (!File.Exists(path))
                continue;
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            while (true)
            {
                while (await file.ReadAsync(buffer, cancellation) is > 0 and var count)
                {
                    for (int at = 0; at < count; at++)
                    {
                        if (buffer[at] != (byte)'\n')
                        {
                            line.WriteByte(buffer[at]);
                            continue;
                        }
                        yield return Encoding.UTF8.GetString(line.GetBuffer().AsSpan(0, (int)line.Length)).TrimEnd('\r');
                        line.SetLength(0);
                    }
                }
                if (over || !File.Exists(path) || new FileInfo(path).Length < file.Length)
                    break; // a new file took its place: from its beginning
                await Task.Delay(Look, cancellation);
                over = IsOver(folder);
            }
        }
    }

    private static bool IsOver(MachineFolder folder) => folder.Read().State is MachineStates.Ended or MachineStates.Killed;

    // A line that is cut off is the one being written when the supervisor was killed.
    private static MachineNews? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, MachineNewsJson.Default.MachineNews);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

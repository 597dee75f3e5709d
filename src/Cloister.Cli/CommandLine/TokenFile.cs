using System.Globalization;

namespace Cloister.Cli.CommandLine;

/// <summary>Texts as token ids: a text a line, ids with spaces between, all lines as long as the first.</summary>
internal static class TokenFile
{
    private const int LargestFile = 256 << 20;

    public static async Task<int[][]> ReadAsync(string path, CancellationToken cancellation)
    {
        string text = System.Text.Encoding.UTF8.GetString(await LocalFile.ReadAsync(path, cancellation, LargestFile));
        string[] lines = text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
        int[][] texts = [.. lines.Select((line, place) => Ids(line, path, place + 1))];
        int odd = Array.FindIndex(texts, one => one.Length != texts[0].Length);
        return odd < 0 ? texts : throw new CommandException(ExitCode.BadInput, $"'{path}' line {odd + 1}: {texts[odd].Length} token ids where the first line has {texts[0].Length}; pad texts to the model's length.");
    }

    private static int[] Ids(string line, string path, int number)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int[] ids = [.. words.Select(word => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? id : -1)];
        return ids.Length > 0 && !ids.Contains(-1) ? ids : throw new CommandException(ExitCode.BadInput, $"'{path}' line {number} is not of token ids with spaces between.");
    }
}

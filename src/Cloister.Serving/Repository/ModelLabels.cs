using System.Text;
using System.Text.Unicode;

namespace Cloister.Serving.Repository;

/// <summary>The names of a model's classes: the sealed entry <c>labels.txt</c>, one a line, the first for index 0.</summary>
public sealed class ModelLabels
{
    /// <summary>The largest <c>labels.txt</c>, in bytes.</summary>
    public const int MaximumBytes = 16 << 20;

    private readonly string[] _labels;

    private ModelLabels(string[] labels) => _labels = labels;

    /// <summary>How many labels there are.</summary>
    public int Count => _labels.Length;

    /// <summary>The label of a class; null where there is none.</summary>
    public string? this[long index] => (ulong)index < (ulong)_labels.Length && _labels[index].Length > 0 ? _labels[index] : null;

    /// <summary>Reads UTF-8 lines that end with LF or CR LF; the last end may be missing.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.LabelsRefused"/>.</exception>
    public static ModelLabels Read(ReadOnlySpan<byte> text)
    {
        if (text.Length > MaximumBytes) throw Refused($"it is larger than {MaximumBytes} bytes");
        if (!Utf8.IsValid(text)) throw Refused("it is not UTF-8");
        if (text.IsEmpty) throw Refused("it is empty; leave it out instead");
        if (text[^1] == '\n') text = text[..^1];
        string[] lines = Encoding.UTF8.GetString(text).Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            lines[i] = lines[i].TrimEnd('\r');
            if (lines[i].AsSpan().ContainsAnyInRange('\0', '\x1F') && lines[i].Any(symbol => symbol < ' ' && symbol != '\t'))
                throw Refused($"line {i + 1} has a control character");
        }
        return new ModelLabels(lines);
    }

    internal static void Fuzz(ReadOnlySpan<byte> text)
    {
        try
        {
            Read(text);
        }
        catch (ServingException refusal) when (refusal.Error == ServingError.LabelsRefused)
        {
            // The documented refusal.
        }
    }

    private static ServingException Refused(string reason) => new(ServingError.LabelsRefused, $"labels.txt is refused: {reason}.");
}

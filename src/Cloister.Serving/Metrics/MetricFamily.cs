using System.Collections.Concurrent;

namespace Cloister.Serving.Metrics;

/// <summary>All series of one metric: one cell for each set of label values that was met. Recording takes no lock.</summary>
/// <typeparam name="TCell">What is kept of one series.</typeparam>
internal abstract class MetricFamily<TCell>(string name, string type, string help, string[] labels)
{
    /// <summary>Values come from the manifest and the protocols, so this is reached only by years of new versions.</summary>
    private const int MaximumCells = 4096;

    private readonly ConcurrentDictionary<LabelValues, TCell> _cells = new();

    public string Name { get; } = name;

    /// <summary>The series that were met.</summary>
    public IEnumerable<KeyValuePair<LabelValues, TCell>> Cells => _cells;

    protected string[] Labels { get; } = labels;

    /// <summary>The cell of these label values.</summary>
    public TCell Of(LabelValues values)
    {
        if (_cells.TryGetValue(values, out TCell? cell)) return cell;
        return _cells.GetOrAdd(_cells.Count < MaximumCells ? values : LabelValues.Other, static (_, family) => family.Create(), this);
    }

    /// <summary>Writes every series whose model may be seen.</summary>
    public void Write(Exposition text, Func<string, bool> sees)
    {
        int model = Array.FindIndex(Labels, label => label is "model" or "model_name" or "model_path");
        KeyValuePair<LabelValues, TCell>[] visible = [.. _cells.Where(cell => model < 0 || sees(cell.Key[model])).OrderBy(cell => cell.Key.ToString(), StringComparer.Ordinal)];
        if (visible.Length == 0) return;
        text.Family(Name, type, help);
        foreach ((LabelValues values, TCell cell) in visible) WriteCell(text, values, cell);
    }

    protected abstract TCell Create();

    protected abstract void WriteCell(Exposition text, LabelValues values, TCell cell);
}

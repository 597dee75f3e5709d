namespace Cloister.Serving.Metrics;

/// <summary>The values of a series' labels, in the order of its family's label names. A family has at most four.</summary>
internal readonly record struct LabelValues(string First = "", string Second = "", string Third = "", string Fourth = "")
{
    /// <summary>Where series that no longer find room are counted; no model can be called so.</summary>
    public static LabelValues Other { get; } = new("(other)", "(other)", "(other)", "(other)");

    public string this[int index] => index switch { 0 => First, 1 => Second, 2 => Third, _ => Fourth };
}

namespace Cloister.Homomorphic.Import;

/// <summary>A model file, a table, and what is wanted of them.</summary>
public sealed record CompilationRequest
{
    /// <summary>The model's file.</summary>
    public required string Model { get; init; }

    /// <summary>The table's file.</summary>
    public required string Table { get; init; }

    /// <summary>The table's target, dropped columns and categories; the features' columns are chosen by the model.</summary>
    public CsvOptions Csv { get; init; } = CsvOptions.Default;

    /// <summary>Of two classes, what the target says for the second; null where it says the class's name.</summary>
    public string? Positive { get; init; }

    /// <summary>Percent of the rows, 0 to 50, that are compared and not calibrated on.</summary>
    public int HeldOutPercent { get; init; }

    /// <summary>Whether several encrypted queries are asked, for their median times.</summary>
    public bool Measure { get; init; }

    /// <summary>What the model is compiled for.</summary>
    public required CompilationOptions Options { get; init; }
}

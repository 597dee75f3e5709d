using Cloister.Homomorphic.Import;

namespace Cloister.Cli.Quickstart.Encrypted;

/// <summary>Which model is asked on ciphertexts, and what.</summary>
internal sealed record EncryptedOptions
{
    private static string Sample => Path.Combine(AppContext.BaseDirectory, "sample", "spam");

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The model in the clear.</summary>
    public required string Model { get; init; }

    /// <summary>A table with the range of its features.</summary>
    public required string Ranges { get; init; }

    /// <summary>A table with the rows to ask about; null for the sample's e-mails.</summary>
    public required string? Rows { get; init; }

    /// <summary>The sample's model, or a person's own with the rows that it is asked about.</summary>
    public static EncryptedOptions Of(string? model, string? rows) => new()
    {
        Name = model is null ? "spam" : StoryManifest.Model,
        Model = model ?? Path.Combine(Sample, "spam.onnx"),
        Ranges = model is null ? Path.Combine(Sample, "calibration.csv") : rows!,
        Rows = rows,
    };

    /// <summary>What `he compile` calibrates on.</summary>
    public string[] Calibration() => AskedRows.ClassOf(Ranges, ModelFile.Read(Model).Features.Count) is { } target
        ? ["--calibrate", Ranges, "--drop", target]
        : ["--calibrate", Ranges];

    public async Task<IReadOnlyList<AskedRow>> RowsAsync(int features, CancellationToken cancellation) =>
        Rows is { } table ? AskedRows.OfTable(table, features) : await AskedRows.OfMailsAsync(Sample, cancellation);
}

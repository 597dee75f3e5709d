using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import;

/// <summary>From a model file and a table to a compiled model and a report: what <c>cloister he compile</c> does.</summary>
public static class ModelCompilation
{
    /// <summary>How many steps the progress of <see cref="Run"/> goes through.</summary>
    public const int Steps = 1000;

    // Of these steps: reading, compiling, comparing, and asking encrypted rows.
    private const int AfterReading = 50, AfterCompiling = 500, AfterComparing = 950;

    /// <summary>Reads, compiles, compares and asks. Takes seconds for a large forest or table.</summary>
    /// <param name="request">What is wanted.</param>
    /// <param name="progress">Is told how many of <see cref="Steps"/> are done.</param>
    /// <param name="cancellation">Stops between rows.</param>
    /// <exception cref="ImportException">The model's file or the table is refused.</exception>
    /// <exception cref="HomomorphicException">The model cannot be compiled.</exception>
    public static CompilationResult Run(CompilationRequest request, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        if (request.HeldOutPercent is < 0 or > 50) throw new ArgumentOutOfRangeException(nameof(request), "0 to 50 percent of the rows are held out.");
        (PlainModel plain, CsvTable table) = ModelCompilation.Match(ModelFile.Read(request.Model), request.Table, request.Csv);
        RefuseForeignOptions(plain, request.Options);
        (CsvTable rows, CsvTable? rest) = Split(table, request.HeldOutPercent);
        progress?.Report(AfterReading);
        cancellation.ThrowIfCancellationRequested();
        CompiledModel compiled = ModelCompilation.Compile(plain, rows.Rows, request.Options);
        try
        {
            progress?.Report(AfterCompiling);
            var compared = new RowProgress(progress, table.Rows.Count);
            ModelAccuracy calibration = ModelAccuracy.Compare(plain, compiled, rows.Rows, rows.Target, request.Positive, compared, cancellation);
            compared.Before = rows.Rows.Count;
            ModelAccuracy? heldOut = rest is null ? null : ModelAccuracy.Compare(plain, compiled, rest.Rows, rest.Target, request.Positive, compared, cancellation);
            ModelCost cost = ModelCost.Of(compiled, table.Rows, request.Measure, cancellation);
            progress?.Report(Steps);
            return new CompilationResult(compiled, new CompilationReport
            {
                Client = compiled.Client,
                Choices = CompilationReport.Explain(plain, compiled.Client, request.Options),
                Calibration = calibration,
                HoldOut = heldOut,
                Cost = cost,
            });
        }
        catch
        {
            compiled.Dispose();
            throw;
        }
    }

    /// <summary>Compiles a model with the design of its kind.</summary>
    /// <param name="model">The model in the clear.</param>
    /// <param name="calibration">Rows like those that will be asked.</param>
    /// <param name="options">What for.</param>
    /// <exception cref="HomomorphicException">The model or the table is refused, or there is no room for the model.</exception>
    /// <exception cref="ArgumentException">An option is for models of the other kind.</exception>
    public static CompiledModel Compile(PlainModel model, IReadOnlyList<double[]> calibration, CompilationOptions options)
    {
        switch (model)
        {
            case LinearModel linear:
                if (options.Levels is not null || options.ExactThresholds) throw new ArgumentException("A linear model has no levels and no thresholds.", nameof(options));
                return LinearCompiler.Compile(linear, calibration, new LinearOptions { Name = options.Name, CircuitPrivacy = options.CircuitPrivacy, Level = options.Level });
            case Forest forest:
                return ForestCompiler.Compile(forest, calibration, new ForestOptions
                {
                    Name = options.Name,
                    Levels = options.Levels,
                    ExactThresholds = options.ExactThresholds,
                    Level = options.Level,
                });
            default:
                throw new ArgumentException($"A {model.GetType().Name} has no design on ciphertexts.", nameof(model));
        }
    }

    /// <summary>Reads of a table what a model asks for: its features by their names, or, where the table does not have those names, all columns in their order, whose names the model then takes.</summary>
    /// <param name="model">The model, named as its file names it.</param>
    /// <param name="path">The table.</param>
    /// <param name="options">Target, dropped columns, categories; the columns are chosen here.</param>
    /// <returns>The model with its features' final names, and the table in their order.</returns>
    /// <exception cref="ImportException">A 3xx refusal, or the table has another number of features.</exception>
    public static (PlainModel Model, CsvTable Table) Match(PlainModel model, string path, CsvOptions options)
    {
        IReadOnlyList<string> header = CsvTable.ReadColumns(path, options);
        if (model.Features.All(header.Contains)) return (model, CsvTable.Read(path, options with { Columns = model.Features }));
        CsvTable table = CsvTable.Read(path, options with { Columns = null });
        if (table.Columns.Count != model.Features.Count)
            throw new ImportException(ImportError.CellCount,
                $"The table has {table.Columns.Count} columns beside target and dropped ones; the model has {model.Features.Count} features and does not name them as the table does. Drop what the model was not trained on.");
        return (model with { Features = table.Columns }, table);
    }

    private static void RefuseForeignOptions(PlainModel model, CompilationOptions options)
    {
        if (model is LinearModel && (options.Levels is not null || options.ExactThresholds))
            throw new ImportException(ImportError.Unsupported, "The model is linear: it has no levels and no thresholds to ask for.");
    }

    // Rows are held out evenly over the table, which may be sorted.
    private static (CsvTable Calibration, CsvTable? HeldOut) Split(CsvTable table, int percent)
    {
        if (percent == 0) return (table, null);
        bool Held(int row) => (row + 1) * percent / 100 > row * percent / 100;
        CsvTable Part(bool held) => table with
        {
            Rows = [.. table.Rows.Where((_, i) => Held(i) == held)],
            Target = [.. table.Target.Where((_, i) => Held(i) == held)],
        };
        CsvTable rest = Part(true);
        return rest.Rows.Count == 0 ? throw new ImportException(ImportError.EmptyTable, $"The table has too few rows to hold out {percent} percent.") : (Part(false), rest);
    }

    private sealed class RowProgress(IProgress<long>? progress, int rows) : IProgress<long>
    {
        public long Before { get; set; }

        public void Report(long value) => progress?.Report(AfterCompiling + (AfterComparing - AfterCompiling) * (Before + value) / rows);
    }
}

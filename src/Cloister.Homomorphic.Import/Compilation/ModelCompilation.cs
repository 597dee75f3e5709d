using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import;

/// <summary>From a model file and a table to a compiled model.</summary>
public static class ModelCompilation
{
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
}

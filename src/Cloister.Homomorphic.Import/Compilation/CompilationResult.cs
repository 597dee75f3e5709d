using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import;

/// <summary>A compiled model and the report on it. Owns the model.</summary>
public sealed class CompilationResult : IDisposable
{
    internal CompilationResult(CompiledModel model, CompilationReport report) => (Model, Report) = (model, report);

    /// <summary>The compiled model.</summary>
    public CompiledModel Model { get; }

    /// <summary>What came of it.</summary>
    public CompilationReport Report { get; }

    /// <summary>Zeroes the model.</summary>
    public void Dispose() => Model.Dispose();
}

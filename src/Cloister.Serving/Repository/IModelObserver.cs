namespace Cloister.Serving.Repository;

/// <summary>Told of versions that are opened. It must be quick and must not throw.</summary>
internal interface IModelObserver
{
    /// <summary>The clock of what took how long.</summary>
    TimeProvider Time { get; }

    /// <summary>A version was opened, or refused.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="version">The version, as far as it is known.</param>
    /// <param name="took">How long it took.</param>
    /// <param name="succeeded">Whether it answers now.</param>
    void Opened(string model, long version, TimeSpan took, bool succeeded);

    /// <summary>A version's warm-up requests were answered, or one failed.</summary>
    /// <inheritdoc cref="Opened"/>
    void WarmedUp(string model, long version, TimeSpan took, bool succeeded);
}

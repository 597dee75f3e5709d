namespace Cloister.Serving.Execution;

/// <summary>One unit of work for the executor.</summary>
internal interface IInference
{
    /// <summary>Runs on one of the executor's threads.</summary>
    void Execute();

    /// <summary>Asks a running <see cref="Execute"/> to end soon, from any thread.</summary>
    void Interrupt();
}

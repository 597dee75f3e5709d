namespace Cloister.Partitioning.Assessment;

/// <summary>One of several equal parts of a work, told as a share of the whole.</summary>
internal sealed class PartOfWork(IProgress<double> whole, int place, int parts) : IProgress<double>
{
    public void Report(double value) => whole.Report((place + value) / parts);
}

namespace Cloister.Partitioning.Labels;

/// <summary>Tells a listener the share of a known amount of work that is done. Safe for many threads.</summary>
internal sealed class Steps(IProgress<double>? listener, double all)
{
    private readonly Lock _lock = new();
    private double _done;

    public void Done(double amount)
    {
        if (listener is null)
            return;
        lock (_lock)
        {
            _done += amount;
            listener.Report(Math.Min(1, _done / all));
        }
    }
}

namespace Cloister.Serving.Execution;

/// <summary>One request in a lane. Its task ends only when the work no longer touches its memory.</summary>
internal sealed class Ticket(InferenceExecutor executor, Lane lane, IInference work) : Waiter<RunTimes>(executor.Time)
{
    public Lane Lane { get; } = lane;

    /// <summary>Its place among those that wait; null once a thread has it. Guarded by the executor.</summary>
    internal LinkedListNode<Ticket>? Node { get; set; }

    /// <summary>The ticks that its lane was charged with when its turn came. Guarded by the executor.</summary>
    internal long Charged { get; set; }

    /// <summary>Runs the work and ends; gives how long it ran.</summary>
    public TimeSpan Run()
    {
        if (IsGivenUp)
        {
            EndGivenUp();
            return TimeSpan.Zero;
        }
        TimeProvider time = executor.Time;
        long start = time.GetTimestamp();
        Exception? failure = null;
        try
        {
            work.Execute();
        }
#pragma warning disable CA1031 // The thread must outlive any failure of a model; the failure goes to whoever waits.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            failure = exception;
        }
        var times = new RunTimes(time.GetElapsedTime(Since, start), time.GetElapsedTime(start));
        Lane.Record(times.Computed);
        if (failure is null) End(times);
        else if (IsGivenUp) EndGivenUp();
        else Refuse(failure);
        return times.Computed;
    }

    protected override bool TryWithdraw() => executor.TryWithdraw(Lane, this);

    protected override void Interrupt() => work.Interrupt();
}

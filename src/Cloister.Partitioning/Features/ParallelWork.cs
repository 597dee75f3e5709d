using System.Runtime.ExceptionServices;

namespace Cloister.Partitioning.Features;

/// <summary>Loops over independent work on a given number of threads.</summary>
internal static class ParallelWork
{
    /// <summary>Runs the work of 0 to count - 1; what the first piece throws that fails is thrown as it was, after the others ended.</summary>
    /// <param name="count">Pieces of work.</param>
    /// <param name="threads">Threads at most.</param>
    /// <param name="work">The work; every piece writes its own place.</param>
    /// <param name="cancellation">Stops it between pieces.</param>
    public static void For(int count, int threads, Action<int> work, CancellationToken cancellation = default)
    {
        try
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, threads), CancellationToken = cancellation }, work);
        }
        catch (AggregateException failures)
        {
            ExceptionDispatchInfo.Throw(failures.InnerExceptions.FirstOrDefault(failure => failure is OperationCanceledException) ?? failures.InnerExceptions[0]);
        }
    }
}

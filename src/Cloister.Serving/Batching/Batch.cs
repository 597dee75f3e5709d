using Cloister.Serving.Engines;

namespace Cloister.Serving.Batching;

/// <summary>
/// Requests that run together. Their inputs are copied into one tensor an input; each then gets its part of the outputs as a view.
/// Who leaves is let go at once and the others go on; if the run fails, each is run by itself, so that a value that the model cannot
/// take is answered to nobody but its sender.
/// </summary>
internal sealed class Batch(
    BatchMember[] members, int items, ICallableEngine engine, TensorPool pool, BatchingOptions options, BatchStatistics statistics, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly List<BatchMember> _present = [.. members];
    private BatchMember? _alone;
    private IModelCall? _call;

    /// <summary>Runs on one of the executor's threads; every member has ended afterwards.</summary>
    public void Run()
    {
        try
        {
            int size = SizeFor(items);
            if (members.Length == 1 && size == items) RunAlone(members[0], null);
            else RunJoined(size);
        }
#pragma warning disable CA1031 // Whatever goes wrong goes to those who wait; nobody may be left without an answer.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            foreach (BatchMember member in members) member.Refuse(failure);
        }
    }

    /// <summary>Lets a member go whose caller left or whose time is over.</summary>
    public void Leave(BatchMember member)
    {
        IModelCall? nobodys;
        lock (_gate)
        {
            // Before the inputs are copied its memory is still read; the run looks again when they are.
            if (_call is null) return;
            if (_alone is null)
            {
                if (!_present.Remove(member)) return;
                nobodys = _present.Count == 0 ? _call : null;
            }
            else
            {
                if (_alone != member) return;
                _call.Interrupt();
                return;
            }
        }
        member.EndGivenUp();
        nobodys?.Interrupt();
    }

    private int SizeFor(int wanted)
    {
        foreach (int size in options.AllowedBatchSizes)
            if (size >= wanted) return size;
        return wanted;
    }

    private void RunJoined(int size)
    {
        long start = time.GetTimestamp();
        Tensor[] inputs = BatchTensors.Join(members, size, pool);
        Tensor[]? outputs = null;
        Exception? failure = null;
        try
        {
            if (!Begin(engine.Call(inputs))) return;
            try
            {
                _call!.Execute();
                outputs = _call.Outputs;
            }
#pragma warning disable CA1031 // It may be one member's doing: each is tried by itself.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                failure = exception;
            }
        }
        finally
        {
            foreach (Tensor input in inputs) input.Dispose();
        }
        long end = time.GetTimestamp();
        if (outputs is not null && BatchShape.Follows(outputs, size))
        {
            statistics.Record(members, size, start, end, time);
            Deliver(outputs, start, end);
            return;
        }
        foreach (Tensor output in outputs ?? []) output.Dispose();
        BatchMember[] left;
        lock (_gate)
        {
            left = [.. _present];
            _present.Clear();
            _call = null;
        }
        if (left.Length == 0) return;
        statistics.RecordFailure();
        foreach (BatchMember member in left) RunAlone(member, members.Length == 1 ? failure : null);
    }

    /// <summary>The inputs are copied: who has left by now is let go. False if nobody is left.</summary>
    private bool Begin(IModelCall call)
    {
        BatchMember[] gone;
        bool any;
        lock (_gate)
        {
            gone = [.. _present.Where(member => member.IsGivenUp)];
            _present.RemoveAll(gone.Contains);
            any = _present.Count > 0;
            _call = call;
        }
        foreach (BatchMember member in gone) member.EndGivenUp();
        return any;
    }

    private void Deliver(Tensor[] outputs, long start, long end)
    {
        HashSet<BatchMember> present;
        lock (_gate)
        {
            present = [.. _present];
            _present.Clear();
        }
        SharedTensor[] shared = [.. outputs.Select(output => new SharedTensor(output, members.Length))];
        int first = 0;
        foreach (BatchMember member in members)
        {
            if (present.Contains(member))
            {
                Tensor[] parts = [.. shared.Select(whole => Tensor.Part(whole, first, member.Items))];
                member.End(new Prediction(parts, time.GetElapsedTime(member.Since, start), time.GetElapsedTime(start, end)));
            }
            else
            {
                foreach (SharedTensor whole in shared) whole.Release();
            }
            first += member.Items;
        }
    }

    /// <summary>Runs one member over its own memory. If its run has failed already, that is its answer.</summary>
    private void RunAlone(BatchMember member, Exception? failure)
    {
        if (member.IsGivenUp)
        {
            member.EndGivenUp();
            return;
        }
        if (failure is not null)
        {
            member.Refuse(failure);
            return;
        }
        long start = time.GetTimestamp();
        IModelCall call = engine.Call(member.Inputs);
        lock (_gate) (_alone, _call) = (member, call);
        try
        {
            // It may have left between the two.
            if (member.IsGivenUp) call.Interrupt();
            call.Execute();
        }
#pragma warning disable CA1031 // The failure goes to whoever waits.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            failure = exception;
        }
        finally
        {
            lock (_gate) _call = null;
        }
        long end = time.GetTimestamp();
        if (failure is null)
        {
            statistics.Record([member], member.Items, start, end, time);
            member.End(new Prediction(call.Outputs!, time.GetElapsedTime(member.Since, start), time.GetElapsedTime(start, end)));
        }
        else if (member.IsGivenUp) member.EndGivenUp();
        else member.Refuse(failure);
    }
}

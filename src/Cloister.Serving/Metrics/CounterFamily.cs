namespace Cloister.Serving.Metrics;

/// <summary>Counts that only rise.</summary>
internal sealed class CounterFamily(string name, string help, params string[] labels) : MetricFamily<Counter>(name, "counter", help, labels)
{
    protected override Counter Create() => new();

    protected override void WriteCell(Exposition text, LabelValues values, Counter cell) => text.Sample(Name, Labels, values, cell.Value);
}

/// <summary>One count.</summary>
internal sealed class Counter
{
    private long _value;

    public long Value => Volatile.Read(ref _value);

    public void Add(long amount) => Interlocked.Add(ref _value, amount);
}

using System.Globalization;
using Cloister.Serving.Repository;

namespace Cloister.Serving.Metrics;

/// <summary>
/// How versions were opened and warmed up, under TF Serving's names; a <c>model_path</c> is the model's name and the version, since where
/// the store lies is nobody's business.
/// </summary>
internal sealed class LoadMetrics(TimeProvider time) : IModelObserver
{
    private readonly CounterFamily _attempts = new(":tensorflow:cc:saved_model:load_attempt_count", "The number of times a version was tried to be opened.", "model_path", "status");
    private readonly CounterFamily _latency = new(":tensorflow:cc:saved_model:load_latency", "Time in microseconds that opening took, in sum.", "model_path");
    private readonly HistogramFamily _warmUp = new(":tensorflow:serving:model_warmup_latency", "Distribution of wall time (in microseconds) for warming up the model.", Histogram.Exponential(10, 1.8, 33), "model_path", "status");

    public TimeProvider Time => time;

    public void Opened(string model, long version, TimeSpan took, bool succeeded)
    {
        _attempts.Of(new(Path(model, version), succeeded ? "success" : "fail")).Add(1);
        if (succeeded) _latency.Of(new(Path(model, version))).Add((long)took.TotalMicroseconds);
    }

    public void WarmedUp(string model, long version, TimeSpan took, bool succeeded) =>
        _warmUp.Of(new(Path(model, version), succeeded ? "OK" : "INVALID_ARGUMENT")).Observe(took.TotalMicroseconds);

    public void Write(Exposition text, Func<string, bool> sees)
    {
        _attempts.Write(text, path => sees(path.Split('/')[0]));
        _latency.Write(text, path => sees(path.Split('/')[0]));
        _warmUp.Write(text, path => sees(path.Split('/')[0]));
    }

    private static string Path(string model, long version) => string.Create(CultureInfo.InvariantCulture, $"{model}/{version}");
}

using System.Globalization;
using Cloister.Partitioning.Runner;
using Cloister.Serving.Batching;
using Cloister.Serving.Engines;
using Cloister.Serving.Metrics;
using Cloister.Serving.Partitioned;
using Cloister.Serving.Repository;

namespace Cloister.Serving.Status;

/// <summary>The page: what is served and how it goes, without a script and without anything from elsewhere.</summary>
internal sealed class StatusPage(ModelRepository repository, RequestMetrics requests, bool? simulated)
{
    public string Write(Viewer viewer, DateTimeOffset now)
    {
        var html = new HtmlText();
        html.Markup("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Cloister: ").Text(repository.IsReady ? "ready" : "not ready")
            .Markup("</title><meta name=\"viewport\" content=\"width=device-width\"><meta http-equiv=\"refresh\" content=\"10\"><style>").Markup(StatusStyle.Text).Markup("</style></head><body><main>");
        WriteHead(html, viewer, now);
        ModelSlot[] slots = [.. repository.Slots];
        if (slots.Length == 0) html.Markup("<p>The activation grants no model.</p>");
        foreach (ModelSlot slot in slots) WriteModel(html, slot, viewer.Sees(slot.Name));
        html.Markup("<footer>").Text(viewer.IsNamed
            ? "Figures are of the models that you may use, since the server started."
            : "Figures are for callers that the manifest names, of the models that they may use; states are open to probes.");
        return html.Markup("</footer></main></body></html>\n").ToString();
    }

    private void WriteHead(HtmlText html, Viewer viewer, DateTimeOffset now)
    {
        html.Markup("<header><h1>Cloister</h1><p class=\"").Markup(repository.IsReady ? "good\">ready" : "bad\">not ready").Markup("</p><p class=\"quiet\">");
        if (viewer.IsNamed) html.Count(requests.InFlight).Text(" under way · ");
        html.Text(now.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)).Markup("</p></header>");
        html.Markup(simulated switch
        {
            true => "<p class=\"alarm\" role=\"alert\">The evidence of this server is simulated: it proves nothing against the host.</p>",
            false => "<p class=\"quiet\">This server states evidence at <code>/.well-known/cloister/evidence</code>; this page proves nothing.</p>",
            null => "<p class=\"alarm\" role=\"alert\">This server has no evidence: nothing attests it.</p>",
        });
    }

    private void WriteModel(HtmlText html, ModelSlot slot, bool withFigures)
    {
        html.Markup("<section><h2>").Text(slot.Name).Markup(slot.State switch
        {
            ModelState.Ready => " <span class=\"good\">ready</span></h2>",
            ModelState.Loading => " <span class=\"quiet\">opening</span></h2>",
            _ => " <span class=\"bad\">unavailable</span></h2>",
        });
        html.Markup("<table><thead><tr><th scope=\"col\">version</th><th scope=\"col\">state</th>");
        if (withFigures) html.Markup("<th scope=\"col\">requests</th>");
        html.Markup("<th scope=\"col\"></th></tr></thead><tbody>");
        foreach (VersionStatus version in slot.Versions)
        {
            html.Markup("<tr><td>").Text(version.Version == 0 ? "–" : Number(version.Version)).Markup("</td><td>").Text(version.State.ToString().ToLowerInvariant()).Markup("</td>");
            if (withFigures) html.Markup("<td>").Count(Total(requests.Requests, cell => cell.Third == slot.Name && cell.Fourth == Number(version.Version))).Markup("</td>");
            html.Markup("<td>").Text(version.Reason?.Message ?? "").Markup("</td></tr>");
        }
        html.Markup("</tbody></table>");
        if (withFigures) WriteFigures(html, slot);
        html.Markup("</section>");
    }

    private void WriteFigures(HtmlText html, ModelSlot slot)
    {
        if (slot.Newest?.Engine is { } engine)
        {
            EngineLoad load = engine.Load;
            html.Markup("<p>").Count(load.Running).Text(" running, ").Count(load.Waiting).Text(" of at most ").Count(load.Limit).Text(engine is BatchingEngine ? " items waiting" : " requests waiting").Markup("</p>");
            if (engine is BatchingEngine batching) WriteBatching(html, batching);
            if (engine is PartitionedEngine parts) WriteAccelerators(html, parts);
        }
        WriteRefusals(html, slot.Name);
        if (Find(requests.Predictions, slot.Name) is not { } total || Find(requests.Queued, slot.Name) is not { } queued || Find(requests.Computed, slot.Name) is not { } computed)
        {
            html.Markup("<p class=\"quiet\">No prediction yet.</p>");
            return;
        }
        html.Markup("<table><thead><tr><th scope=\"col\">time of a prediction</th><th scope=\"col\">half within</th><th scope=\"col\">90 %</th><th scope=\"col\">99 %</th></tr></thead><tbody>");
        foreach ((string name, Histogram times) in new[] { ("whole request", total), ("queued", queued), ("computed", computed) })
        {
            html.Markup("<tr><th scope=\"row\">").Text(name).Markup("</th>");
            foreach (double part in (double[])[0.5, 0.9, 0.99]) html.Markup("<td>").Duration(Quantiles.Of(times, part)).Markup("</td>");
            html.Markup("</tr>");
        }
        html.Markup("</tbody></table><figure><figcaption>whole requests, by time</figcaption>");
        HistogramChart.Write(html, total, $"Predictions of {slot.Name} by the time of the whole request");
        html.Markup("</figure>");
    }

    private static void WriteAccelerators(HtmlText html, PartitionedEngine engine)
    {
        IReadOnlyList<AcceleratorState> accelerators = engine.Accelerators.Accelerators;
        AcceleratorStatistics figures = engine.Accelerators.Statistics;
        int ready = accelerators.Count(accelerator => accelerator.Phase == AcceleratorPhase.Ready), banned = accelerators.Count(accelerator => accelerator.Phase == AcceleratorPhase.Banned);
        html.Markup("<p>in parts: ").Count(ready).Text(" of ").Count(accelerators.Count).Text(" accelerators ready");
        if (banned > 0) html.Text(", ").Count(banned).Text(" turned away because they lied");
        html.Text("; ").Count(figures.Answered).Text(" requests computed outside, ").Count(figures.Inside).Text(" inside, ").Count(figures.Refused).Text(" refused; ")
            .Count(figures.Faults.Values.Sum()).Text(" faults, ").Count(figures.Retries).Text(" tries again, ").Count(figures.SpotChecks).Text(" answers checked").Markup("</p>");
    }

    private static void WriteBatching(HtmlText html, BatchingEngine engine)
    {
        BatchingOptions options = engine.Options;
        BatchFigures figures = engine.Statistics.Read();
        html.Markup("<p>").Text("batches of up to ").Count(options.MaxBatchSize).Text(options.BatchTimeout > TimeSpan.Zero ? $", filled for at most {HtmlText.Readable(options.BatchTimeout.TotalSeconds)}" : ", of what waits");
        if (options.AllowedBatchSizes.Count > 0) html.Text(", of sizes " + string.Join(", ", options.AllowedBatchSizes));
        html.Text(": ").Count(figures.Batches).Text(" run");
        if (figures.Batches > 0) html.Text(string.Create(CultureInfo.InvariantCulture, $"; on average {(double)figures.Items / figures.Batches:0.#} items, ")).Count(figures.Padding).Text(" added to fill them up");
        html.Markup("</p>");
        if (figures.Sizes.Count == 0) return;
        html.Markup("<table><thead><tr><th scope=\"col\">batch size</th><th scope=\"col\">batches</th><th scope=\"col\">time each</th></tr></thead><tbody>");
        foreach (BatchSizeFigures size in figures.Sizes.OrderByDescending(size => size.Batches).Take(8).OrderBy(size => size.Size))
            html.Markup("<tr><td>").Count(size.Size).Markup("</td><td>").Count(size.Batches).Markup("</td><td>").Duration(size.Computed.TotalSeconds / size.Batches).Markup("</td></tr>");
        html.Markup("</tbody></table>");
    }

    private void WriteRefusals(HtmlText html, string model)
    {
        (string Reason, long Count)[] refusals = [.. requests.Refusals.Cells.Where(cell => cell.Key.Second == model)
            .GroupBy(cell => cell.Key.Third, StringComparer.Ordinal).Select(reason => (reason.Key, reason.Sum(cell => cell.Value.Value))).OrderByDescending(reason => reason.Item2)];
        if (refusals.Length == 0) return;
        html.Markup("<p>refused: ");
        for (int i = 0; i < refusals.Length; i++) html.Text(i == 0 ? "" : ", ").Count(refusals[i].Count).Text(" " + refusals[i].Reason.Replace('_', ' '));
        html.Markup("</p>");
    }

    private static Histogram? Find(HistogramFamily family, string model) => family.Cells.FirstOrDefault(cell => cell.Key.First == model).Value;

    private static long Total(CounterFamily family, Func<LabelValues, bool> chosen) => family.Cells.Where(cell => chosen(cell.Key)).Sum(cell => cell.Value.Value);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}

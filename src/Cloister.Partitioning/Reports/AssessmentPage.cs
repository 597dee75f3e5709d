using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Cloister.Partitioning.Reports;

/// <summary>
/// An assessment as one HTML page for people: the recommendation on the first screen, curves, rebuilt pictures beside the originals. It needs
/// no script and nothing from elsewhere, and is well-formed XML.
/// </summary>
public static class AssessmentPage
{
    /// <summary>Writes the page, UTF-8. Names from the model and of files are shown, never obeyed.</summary>
    public static byte[] Write(AssessmentReport report)
    {
        var page = new StringBuilder();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>");
        page.Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\"/>");
        page.Append($"<title>What the parts of {PageText.Escape(report.Model.Name)} give away</title><style>{PageStyle.Css}</style></head>\n<body><main>\n");
        Head(page, report);
        Overview(page, report);
        Charts(page, report);
        PicturesPage.Append(page, report.Cuts);
        Tails(page, report);
        Details(page, report);
        Foot(page, report);
        return Encoding.UTF8.GetBytes(page.Append("</main></body></html>\n").ToString());
    }

    private static void Head(StringBuilder page, AssessmentReport report)
    {
        page.Append($"<h1>What the parts of {PageText.Name(report.Model.Name)} give away</h1>");
        page.Append(CultureInfo.InvariantCulture, $"<p class=\"soft\">{report.Cuts.Length} cuts, {report.Pictures.Fit} pictures or texts learned from, {report.Pictures.Test} attacked, {report.Model.Macs / 1e6:N0} million multiply-accumulates, {PageText.Bytes(report.Model.WeightBytes)} of weights</p>");
        page.Append($"<section class=\"advice{(report.Valid && report.Recommendation.Partition ? "" : " stop")}\">");
        foreach (string words in report.Recommendation.Words) page.Append($"<p>{PageText.Escape(words)}</p>");
        page.Append("</section>\n");
    }

    private static void Overview(StringBuilder page, AssessmentReport report)
    {
        page.Append("<h2>Cuts</h2><p class=\"soft\">What crosses a cut is seen by whoever runs the part outside. A cut is never called safe: every attack is a lower bound of what leaks.</p>");
        page.Append("<div class=\"scroll\"><table><thead><tr><th>after</th><th class=\"figure\">computed inside</th><th class=\"figure\">crosses</th><th class=\"figure\">weights outside</th><th>verdict</th><th class=\"figure\">pictures or tokens found</th><th>the literature's heuristic</th></tr></thead><tbody>\n");
        foreach (AssessedCut cut in report.Cuts)
        {
            Measure? found = cut["inversion"]?["reidentification"] ?? cut["tokens"]?["tokens"];
            page.Append($"<tr><td>{PageText.Names(cut.Tensors)}</td><td class=\"figure\">{PageText.Share(cut.MacShareInside)}</td><td class=\"figure\">{PageText.Bytes(cut.BoundaryBytes)}</td><td class=\"figure\">{PageText.Bytes(cut.WeightBytesOutside)}</td>");
            page.Append($"<td class=\"{(cut.Verdict is CutVerdict.Leaks or CutVerdict.LeaksThroughLater ? "leaks" : "unshown")}\">{PageText.Escape(cut.Words)}</td>");
            page.Append($"<td class=\"figure\">{(found is null ? "" : $"{PageText.Share(found.Value.Estimate)}<br/><span class=\"soft\">{PageText.Share(found.Value.Lower)} to {PageText.Share(found.Value.Upper)}</span>")}</td>");
            page.Append($"<td>{PageText.Escape(Heuristic(cut["heuristic"]))}</td></tr>\n");
        }
        page.Append("</tbody></table></div>\n");
    }

    private static string Heuristic(Finding? finding) => finding is { NotRun: null } ? finding.Notes.FirstOrDefault("") : finding?.NotRun ?? "not asked: no second classifier was given";

    private static void Charts(StringBuilder page, AssessmentReport report)
    {
        ImmutableArray<AssessedCut> cuts = report.Cuts;
        Measure? First(string attack, string measure) => cuts.Select(cut => cut[attack]?[measure]).FirstOrDefault(found => found is not null);
        Chart[] charts =
        [
            new Chart("Pictures re-identified", "The share of attacked pictures whose reconstruction is nearest to its own original, with its interval. Above chance, the cut leaks.", 0, 1)
                .Series("least squares", Points(cuts, "inversion", "reidentification")).Series("gradient descent", Points(cuts, "gradient", "reidentification"))
                .Baseline("chance", (First("inversion", "reidentification") ?? First("gradient", "reidentification"))?.Chance),
            new Chart("Structural similarity (SSIM)", "1 is the original. The line is a picture's likeness to the mean of all pictures, which an attacker has anyway.", 0, 1)
                .Series("least squares", Points(cuts, "inversion", "ssim")).Series("gradient descent", Points(cuts, "gradient", "ssim")).Baseline("mean picture", First("inversion", "ssim")?.Baseline),
            new Chart("Signal to noise (PSNR, dB)", "Higher is nearer to the original.", 5, 45)
                .Series("least squares", Points(cuts, "inversion", "psnr")).Series("gradient descent", Points(cuts, "gradient", "psnr")).Baseline("mean picture", First("inversion", "psnr")?.Baseline),
            new Chart("The literature's heuristic (delta)", "The median and the span from the 5th percentile to the greatest. The literature calls 1 and more safe; compare with the pictures below. The second curve is the same with feature maps of unrelated pictures.", 0, 2)
                .Series("this picture's maps", Points(cuts, "heuristic", "delta")).Series("unrelated maps", Points(cuts, "heuristic", "delta-null")).Baseline("called safe", 1),
            new Chart("Tokens recovered", "The share of attacked tokens that are found.", 0, 1)
                .Series("least squares", Points(cuts, "tokens", "tokens")).Baseline("chance", First("tokens", "tokens")?.Chance),
            new Chart("Training pictures told from others", "How often a picture that the model was trained on is taken for one sooner than another picture is. Answers tell in every mode; what is above them, partitioning adds.", 0, 1)
                .Series("running the part outside", Points(cuts, "membership", "members-outside")).Series("answers alone", Points(cuts, "membership", "members-by-answers")).Baseline("chance", First("membership", "members-outside")?.Chance),
        ];
        Chart[] shown = [.. charts.Where(chart => !chart.IsEmpty)];
        if (shown.Length == 0) return;
        page.Append("<h2>Curves</h2><div class=\"charts\">");
        foreach (Chart chart in shown) page.Append(chart.ToHtml()).Append('\n');
        page.Append("</div>\n");
    }

    private static IEnumerable<Chart.Point> Points(ImmutableArray<AssessedCut> cuts, string attack, string measure) =>
        from cut in cuts
        let found = cut[attack]?[measure]
        where found is not null
        select new Chart.Point(cut.MacShareInside, found.Value.Lower, found.Value.Estimate, found.Value.Upper, string.Join(", ", cut.Tensors));

    private static void Tails(StringBuilder page, AssessmentReport report)
    {
        if (report.Tails.IsEmpty) return;
        page.Append("<h2>Where the part outside may end</h2><p class=\"soft\">Keeping names of classes inside helps only if nobody outside can tell the order of the classes, or the answer itself. Layers behind a place where it can be told could run inside as well: the tail.</p>");
        page.Append("<div class=\"scroll\"><table><thead><tr><th>the outside ends in</th><th class=\"figure\">computed in the tail</th><th class=\"figure\">comes back</th><th>what of the classes is seen</th></tr></thead><tbody>\n");
        foreach (AssessedTail tail in report.Tails)
        {
            page.Append($"<tr><td>{(tail.Tensors.IsEmpty ? "the answer (no tail)" : PageText.Names(tail.Tensors))}</td><td class=\"figure\">{PageText.Share(tail.MacShareInside)}</td><td class=\"figure\">{PageText.Bytes(tail.BoundaryBytes)}</td><td>");
            page.Append($"<span class=\"{(tail.Labels.Found == true ? "leaks" : "unshown")}\">{(tail.Labels.NotRun is not null ? "not measured" : tail.Labels.Found != true ? "nothing beyond chance was found" : tail.Tensors.IsEmpty ? "the order of the classes, or the answer, is told" : "the answer is told")}</span>");
            Sentences(page, tail.Labels);
            page.Append("</td></tr>\n");
        }
        page.Append("</tbody></table></div>\n");
    }

    private static void Details(StringBuilder page, AssessmentReport report)
    {
        page.Append("<h2>Every figure</h2>\n");
        foreach (AssessedCut cut in report.Cuts)
        {
            page.Append($"<details><summary>{PageText.Names(cut.Tensors)} <span class=\"soft\">{PageText.Share(cut.MacShareInside)} inside{(cut.Protection.IsEmpty ? "" : "; protection " + string.Join(", ", cut.Protection.Select(score => $"{score.Key} {PageText.Number(score.Value)}")))}</span></summary><div>");
            foreach (Finding finding in cut.Findings) Figures(page, finding);
            foreach (FoundWithTail tail in cut.Tails)
            {
                page.Append($"<p>With a tail from {PageText.Names(tail.Tensors)} on inside:</p>");
                foreach (Finding finding in tail.Findings) Figures(page, finding);
            }
            page.Append("</div></details>\n");
        }
        page.Append($"<details><summary>Calibration <span class=\"soft\">{(report.Valid ? "passed" : "FAILED")}</span></summary><div>");
        Figures(page, report.Calibration);
        page.Append("</div></details>\n");
    }

    private static void Figures(StringBuilder page, Finding finding)
    {
        page.Append($"<h3>{PageText.Escape(finding.Attack)}</h3>");
        if (!finding.Measures.IsEmpty)
        {
            page.Append("<div class=\"scroll\"><table><thead><tr><th>figure</th><th class=\"figure\">estimate</th><th class=\"figure\">from</th><th class=\"figure\">to</th><th class=\"figure\">seeing nothing</th><th class=\"figure\">chance</th></tr></thead><tbody>");
            foreach (Measure measure in finding.Measures)
            {
                page.Append($"<tr><td>{PageText.Escape(measure.Name)}</td><td class=\"figure\">{PageText.Number(measure.Value.Estimate)}</td><td class=\"figure\">{PageText.Number(measure.Value.Lower)}</td><td class=\"figure\">{PageText.Number(measure.Value.Upper)}</td>");
                page.Append($"<td class=\"figure\">{(measure.Baseline is { } baseline ? PageText.Number(baseline) : "")}</td><td class=\"figure\">{(measure.Chance is { } chance ? PageText.Number(chance) : "")}</td></tr>");
            }
            page.Append("</tbody></table></div>");
        }
        Sentences(page, finding);
    }

    private static void Sentences(StringBuilder page, Finding finding)
    {
        if (finding.NotRun is { } why) page.Append($"<p class=\"soft\">not run: {PageText.Escape(why)}</p>");
        foreach (string note in finding.Notes) page.Append($"<p class=\"soft\">{PageText.Escape(note)}</p>");
    }

    private static void Foot(StringBuilder page, AssessmentReport report)
    {
        page.Append("<h2>What holds of every assessment</h2>");
        foreach (string notice in report.Notices) page.Append($"<p>{PageText.Escape(notice)}</p>");
        page.Append("<h2>What was assessed</h2>");
        page.Append($"<p>Model {PageText.Name(report.Model.Name)}, SHA-256 <span class=\"name\">{PageText.Escape(report.Model.Sha256)}</span>, input [{string.Join(", ", report.Model.InputShape)}], preprocessing {PageText.Name(report.Model.Preprocess)}.</p>");
        if (report.Members is { } members) page.Append(CultureInfo.InvariantCulture, $"<p>Of {members.Candidates:N0} pictures that the model was trained on {members.Fit + members.Test} were taken. Digest <span class=\"name\">{PageText.Escape(members.Digest)}</span>.</p>");
        page.Append(CultureInfo.InvariantCulture, $"<p>Of {report.Pictures.Candidates:N0} pictures found {report.Pictures.Fit + report.Pictures.Test} were taken; {report.Pictures.Duplicates:N0} were the same as another or a near copy of it, {report.Pictures.Skipped:N0} files could not be read. Digest <span class=\"name\">{PageText.Escape(report.Pictures.Digest)}</span>, seed {report.Seed}.</p>");
        page.Append(CultureInfo.InvariantCulture, $"<p class=\"soft\">{PageText.Escape(report.Tool)}, {report.Time:yyyy-MM-dd HH:mm} UTC</p>");
    }
}

using Cloister.Protocol.Templates;

namespace Cloister.Protocol.Manifest;

/// <summary>Renders a manifest's templates with some secrets' values, before anybody relies on them.</summary>
public static class TemplateDryRun
{
    /// <summary>What is wrong first, in MarbleRun's words, or null: for example a variable that would hold a NUL. It never repeats a value.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="values">Values by name; all other secrets have placeholders.</param>
    public static string? FirstProblem(ManifestDocument manifest, IReadOnlyDictionary<string, TemplateSecretValue> values)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(values);
        var problems = new ManifestProblems(ManifestDialect.MarbleRun);
        TemplateChecks.Check(manifest, problems, values);
        return problems.Problems.FirstOrDefault()?.Message;
    }
}

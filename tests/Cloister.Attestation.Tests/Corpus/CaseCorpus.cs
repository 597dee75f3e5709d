using System.Collections.Immutable;
using System.Text.Json;

namespace Cloister.Tests.Corpus;

/// <summary>Reads the shared cases (cases.json); each case keeps its parts as JSON, for every kind has other ones.</summary>
internal static class CaseCorpus
{
    private static readonly Lazy<ImmutableArray<AttestationCase>> All = new(Load);

    public static ImmutableArray<AttestationCase> OfKind(string tee) => [.. All.Value.Where(one => one.Tee == tee)];

    private static ImmutableArray<AttestationCase> Load()
    {
        string folder = TestData.Path("attestation");
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "cases.json")));
        return [.. document.RootElement.GetProperty("cases").EnumerateArray().Select(one => new AttestationCase(one.Clone(), folder))];
    }
}

using System.Text.Json;
using Cloister.Protocol.Manifest;
using Cloister.Tests;
using Xunit.Abstractions;

namespace Cloister.Protocol.Tests.Manifest;

/// <summary>Verdicts recorded on MarbleRun's coordinator 1.9.1: each manifest must be accepted or refused as there.</summary>
public sealed class MarbleRunVerdictTests(ITestOutputHelper output)
{
    [SharedDataFact]
    public void EveryRecordedVerdictIsOurs()
    {
        using JsonDocument cases = JsonDocument.Parse(File.ReadAllBytes(TestData.Path("marblerun/manifest-verdicts.json")));
        List<string> wrong = [];
        int total = 0, sameWords = 0, invalid = 0;
        foreach (JsonElement one in cases.RootElement.EnumerateArray())
        {
            total++;
            string id = one.GetProperty("id").GetString()!;
            bool valid = one.GetProperty("verdict").GetString() == "valid";
            string? message = one.GetProperty("v2").GetProperty("message").GetString();
            ManifestOutcome outcome = ManifestReader.Read(File.ReadAllBytes(TestData.Path("marblerun/" + one.GetProperty("file").GetString())), ManifestDialect.MarbleRun);
            if (outcome.IsAccepted != valid) wrong.Add($"{id}: {(valid ? outcome.Problems[0].Message : "accepted; expected " + message)}");
            if (valid) continue;
            invalid++;
            if (!outcome.IsAccepted && outcome.Problems[0].Message == message) sameWords++;
            else if (!outcome.IsAccepted) output.WriteLine($"{id}: {outcome.Problems[0].Message}\n   {message}");
        }
        output.WriteLine($"{total - wrong.Count} of {total} verdicts; {sameWords} of {invalid} refusals in the same words");
        Assert.Empty(wrong);
    }
}

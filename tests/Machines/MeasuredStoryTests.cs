using System.Text.Json.Nodes;
using Cloister.EndToEnd;

namespace Cloister.Machines;

/// <summary>The main job of the house on measured machines: the key goes to a machine whose TPM quotes the prediction, and to no other.</summary>
[Collection(ManyProgramsFixture.Name)]
public sealed class MeasuredStoryTests
{
    [MachineFact]
    public async Task The_story_ends_with_a_prediction_and_every_other_machine_is_refused()
    {
        Ended ended = await CloisterCommand.RunAsync("quickstart", "--tee", "vtpm", "--attacks", "--json");
        ended.Succeeded();
        Assert.Equal(7, ended.Lines.Count(line => line["step"] is not null));
        Assert.Equal("star", (string?)Assert.Single(ended.Lines, line => line["predictions"] is not null)["predictions"]![0]!["top"]![0]!["label"]);
        JsonObject[] attacks = [.. ended.Lines.Where(line => line["attack"] is not null)];
        Assert.Equal(7, attacks.Length);
        Assert.All(attacks, attack => Assert.True((bool)attack["refused"]!, attack.ToJsonString()));
        Assert.Contains("pcr", Reason("initrd"), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("9", Reason("initrd"), StringComparison.Ordinal);
        Assert.Contains("9", Reason("command line"), StringComparison.Ordinal);
        Assert.Contains("pcr", Reason("debug image"), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("pcr", Reason("another authority"), StringComparison.OrdinalIgnoreCase);

        string Reason(string attack) => (string)Assert.Single(attacks, one => ((string)one["attack"]!).Contains(attack, StringComparison.Ordinal))["reason"]!;
    }
}

using System.Text.Json.Nodes;
using Cloister.Tests;

namespace Cloister.EndToEnd;

/// <summary>The main job of the house, with real processes that talk over TLS on loopback.</summary>
public sealed class QuickstartTests
{
    private static readonly string[] Vision = ["models/vision/squeezenet1.1-224.onnx", "inputs/labels/imagenet1000_synset_label.txt"];

    [Fact]
    public async Task The_newcomers_story_ends_with_a_prediction()
    {
        Ended ended = await CloisterCommand.RunAsync("quickstart", "--json");
        ended.Succeeded();
        JsonObject[] steps = [.. ended.Lines.Where(line => line["step"] is not null)];
        Assert.Equal(Enumerable.Range(1, steps.Length), steps.Select(step => (int)step["step"]!));
        Assert.Equal(7, steps.Length);
        Assert.Contains("model owner", steps.Select(step => (string)step["party"]!));
        JsonObject prediction = Assert.Single(ended.Lines, line => line["predictions"] is not null);
        Assert.Equal(5, prediction["predictions"]![0]!["top"]!.AsArray().Count);
    }

    [Fact]
    public async Task Every_attack_is_refused_with_its_reason()
    {
        Ended ended = await CloisterCommand.RunAsync("quickstart", "--attacks", "--json");
        ended.Succeeded();
        JsonObject[] attacks = [.. ended.Lines.Where(line => line["attack"] is not null)];
        Assert.True(attacks.Length >= 11, $"only {attacks.Length} attacks ran");
        Assert.All(attacks, attack =>
        {
            Assert.True((bool)attack["refused"]!, attack.ToJsonString());
            Assert.True(((string)attack["reason"]!).Length > 20, attack.ToJsonString());
        });
        Assert.Equal(attacks.Length, attacks.Select(attack => (string)attack["attack"]!).Distinct().Count());
    }

    [SharedDataFact]
    public async Task An_ImageNet_network_names_all_eight_pictures_as_recorded()
    {
        JsonNode expected = JsonNode.Parse(await File.ReadAllTextAsync(TestData.Path("models/vision/squeezenet1.1-224.expected.json")))!;
        string[] pictures = [.. expected["images"]!.AsObject().Select(picture => picture.Key)];
        Assert.Equal(8, pictures.Length);
        Ended ended = await CloisterCommand.RunAsync([
            "quickstart", "--json", "--model", TestData.Path(Vision[0]), "--labels", TestData.Path(Vision[1]), "--preprocess", "bgr-mean",
            .. pictures.SelectMany(picture => new[] { "--image", TestData.Path("inputs/images224/" + picture) })]);
        ended.Succeeded();
        JsonArray predictions = Assert.Single(ended.Lines, line => line["predictions"] is not null)["predictions"]!.AsArray();
        foreach ((string picture, JsonNode? prediction) in pictures.Zip(predictions))
        {
            JsonArray top = prediction!["top"]!.AsArray(), wanted = expected["images"]![picture]!.AsArray();
            Assert.Equal(wanted.Select(label => (int)label!["index"]!), top.Select(label => (int)label!["index"]!));
            Assert.All(wanted.Zip(top), pair => Assert.Equal((double)pair.First!["p"]!, (double)pair.Second!["score"]!, 1e-3));
        }
    }
}

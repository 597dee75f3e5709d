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

    [Fact]
    public async Task An_encrypted_model_answers_and_its_server_held_nothing_of_the_rows()
    {
        Ended ended = await CloisterCommand.RunAsync("quickstart", "--mode", "encrypted", "--json");
        ended.Succeeded();
        Assert.Equal(9, ended.Lines.Count(line => line["step"] is not null));
        JsonObject answers = Assert.Single(ended.Lines, line => (string?)line["event"] == "answers");
        Assert.Equal((8, 8), ((int)answers["rows"]!, (int)answers["same"]!));
        Assert.All(answers["answers"]!.AsArray(), answer => Assert.Equal((double)answer!["plainValue"]!, (double)answer["value"]!, 0.005));
        JsonObject searched = Assert.Single(ended.Lines, line => (string?)line["event"] == "searched");
        Assert.True((bool)searched["proven"]!);
        Assert.Empty(searched["encrypted"]!.AsArray());
        Assert.True((int)searched["traces"]! > 50);
        if (searched["memoryBytes"] is { } bytes)
        {
            Assert.True((long)bytes > 50_000_000);
            Assert.NotEmpty(searched["inClear"]!.AsArray());
        }
    }

    [Fact]
    public async Task A_model_in_parts_answers_and_what_it_gives_away_is_said()
    {
        Ended ended = await CloisterCommand.RunAsync("quickstart", "--mode", "partitioned", "--json");
        ended.Succeeded();
        Assert.Equal(10, ended.Lines.Count(line => line["step"] is not null));
        JsonObject assessed = Assert.Single(ended.Lines, line => (string?)line["event"] == "assessed");
        Assert.InRange((double)assessed["minimum"]!, 0, (double)assessed["pictures"]!);
        Assert.NotEmpty(assessed["words"]!.AsArray());
        JsonObject prediction = Assert.Single(ended.Lines, line => line["predictions"] is not null);
        Assert.Equal(("partitioned", "star"), ((string)prediction["mode"]!, (string)prediction["predictions"]![0]!["top"]![0]!["label"]!));
        JsonObject searched = Assert.Single(ended.Lines, line => (string?)line["event"] == "searched");
        Assert.True((bool)searched["proven"]!);
        Assert.Empty(searched["found"]!.AsArray());
        Assert.True((int)searched["traces"]! > 200);
        Assert.True((int)searched["control"]! > 100);
        JsonObject[] attacks = [.. ended.Lines.Where(line => line["attack"] is not null)];
        Assert.True(attacks.Length >= 10, $"only {attacks.Length} attacks ran");
        Assert.All(attacks, attack =>
        {
            Assert.True((bool)attack["refused"]!, attack.ToJsonString());
            Assert.True(((string)attack["reason"]!).Length > 20, attack.ToJsonString());
        });
    }

    [SharedDataTheory]
    [InlineData("models/tabular/logreg-breast.onnx", "inputs/tabular/breast_cancer_wisconsin.csv", 569)]
    [InlineData(null, "inputs/tabular/spambase.csv", 4601)]
    public async Task Rows_of_the_callers_are_asked_encrypted(string? model, string table, int rows)
    {
        Ended ended = await CloisterCommand.RunAsync(["quickstart", "--mode", "encrypted", "--json", "--rows", TestData.Path(table), .. model is null ? Array.Empty<string>() : ["--model", TestData.Path(model)]]);
        ended.Succeeded();
        JsonObject answers = Assert.Single(ended.Lines, line => (string?)line["event"] == "answers");
        Assert.Equal(rows, (int)answers["rows"]!);
        Assert.InRange((int)answers["same"]!, rows * 995 / 1000, rows);
        Assert.Empty(Assert.Single(ended.Lines, line => (string?)line["event"] == "searched")["encrypted"]!.AsArray());
    }

    [Theory]
    [InlineData("--mode", "masked")]
    [InlineData("--mode", "partitioned", "--attacks")]
    [InlineData("--mode", "partitioned", "--model", "model.onnx")]
    [InlineData("--mode", "partitioned", "--tee", "vtpm")]
    [InlineData("--rows", "rows.csv")]
    [InlineData("--mode", "encrypted", "--attacks")]
    [InlineData("--mode", "encrypted", "--model", "model.onnx")]
    public async Task What_does_not_go_together_is_said(params string[] arguments)
    {
        Ended ended = await CloisterCommand.RunAsync(["quickstart", .. arguments]);
        Assert.Equal(2, ended.Code);
        Assert.Contains("--", ended.Error, StringComparison.Ordinal);
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

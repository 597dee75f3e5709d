using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Xml;
using System.Xml.Linq;
using Cloister.Tests;

namespace Cloister.EndToEnd;

/// <summary>From a model and some pictures to parts with a signed report, by the verbs alone.</summary>
public sealed class ModelAssessTests : IDisposable
{
    private const string Early = "layer1.2/add/relu", Late = "layer3.1/add/relu", Flat = "flat";

    private readonly TemporaryFolder _folder = new();

    private static string Model => TestData.Path("models/vision/cifar10-resnet20.onnx");

    [SharedDataFact]
    public async Task AModelIsAssessedResumedAndPartitionedWithItsScoresSigned()
    {
        JsonObject first = await AssessAsync();
        Assert.True((bool)first["valid"]!);
        Assert.False((bool)first["recommendation"]!["partition"]!);
        JsonArray cuts = (JsonArray)first["cuts"]!;
        Assert.Equal([Early, Late], cuts.Select(cut => (string)cut!["tensors"]![0]!));
        Assert.Equal("Leaks", (string)cuts[0]!["verdict"]!);
        string[] units = Directory.GetFiles(_folder["out/units"], "*.json");
        DateTime[] written = [.. units.Select(File.GetLastWriteTimeUtc)];
        Assert.True(units.Length >= 1 + 2 * 2 + 1, string.Join(", ", units));
        AssertPage(await File.ReadAllTextAsync(_folder["out/report.html"]));

        // A second run takes what is there; a report of the same findings differs by its time alone.
        string report = await File.ReadAllTextAsync(_folder["out/report.json"]);
        await AssessAsync();
        Assert.Equal(written, units.Select(File.GetLastWriteTimeUtc));
        Assert.Equal(units.Length, Directory.GetFiles(_folder["out/units"], "*.json").Length);
        Assert.Equal(WithoutTime(report), WithoutTime(await File.ReadAllTextAsync(_folder["out/report.json"])));

        (await CloisterCommand.RunAsync("model", "keygen", "--out", _folder["owner"])).Succeeded();
        Ended cut = await PartitionAsync("parts", Early, "--tail", Flat, "--assessment", _folder["out/report.json"]);
        cut.Succeeded();
        Assert.Contains("WARNING", cut.Error, StringComparison.Ordinal);
        Assert.Contains("40 to learn from and 20 to attack are too few", cut.Error, StringComparison.Ordinal);
        JsonNode signed = JsonNode.Parse(Convert.FromBase64String((string)JsonNode.Parse(await File.ReadAllTextAsync(_folder["parts/partition.json"]))!["report"]!))!;
        Assert.Equal(DigestOf(Model), (string)signed["model"]!);
        foreach (string part in (string[])["front", "back", "tail"]) Assert.Equal(DigestOf(_folder[$"parts/{part}.onnx"]), (string)signed[part]!);
        Assert.Equal((Early, Flat), ((string)signed["cut"]![0]!, (string)signed["tailCut"]![0]!));
        Assert.Equal(0, (double)signed["protection"]!["pictures"]!);
        Assert.NotNull(signed["protection"]!["labels"]);
        // Which pictures a network was trained on is told of the tail that it has; these two lots are strangers to it alike.
        JsonNode assessed = JsonNode.Parse(report)!["cuts"]![0]!, members = assessed["tails"]![0]!["findings"]![1]!;
        Assert.Equal(("membership", "flat", 60), ((string)members["attack"]!, (string)assessed["tails"]![0]!["tensors"]![0]!, (int)JsonNode.Parse(report)!["members"]!["fit"]! + (int)JsonNode.Parse(report)!["members"]!["test"]!));
        Assert.Null((string?)members["notRun"]);
        Assert.InRange((double)signed["protection"]!["membership"]!, 0.1, 1);
        Assert.Equal(0, (double)signed["protection"]!["weights"]!, 1e-9);
        Assert.Equal((DigestOf(_folder["out/report.json"]), 40, 20), ((string)signed["assessment"]!, (int)signed["fitPictures"]!, (int)signed["testPictures"]!));

        // Without an assessment there are no scores; with one of something else there is no partition.
        Ended bare = await PartitionAsync("bare", Early);
        bare.Succeeded();
        Assert.Contains("has no scores", bare.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["bare/tail.onnx"]));
        Ended other = await PartitionAsync("other", "conv1/relu", "--tail", Flat, "--assessment", _folder["out/report.json"]);
        Assert.Equal(4, other.Code);
        Assert.Contains("201 AssessmentRefused", other.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["other"]));
    }

    [SharedDataFact]
    public async Task WhatCannotBeAssessedIsSaidWithItsReason()
    {
        string images = TestData.Path("inputs/cifar10"), resnet = Model;
        (int Code, string Says, string[] Arguments)[] cases =
        [
            (4, "100 PicturesRefused", [resnet, "--images", images, "--preprocess", "imagenet", "--fit", "3000"]),
            (4, "is not there", [resnet, "--images", _folder["absent"], "--preprocess", "imagenet"]),
            (4, "101 ModelRefused", [TestData.Path("models/llm/stories260K.onnx"), "--images", images, "--preprocess", "imagenet"]),
            (4, "There is no preprocessing", [resnet, "--images", images, "--preprocess", "sepia"]),
            (4, "305 NotACut", [resnet, "--images", images, "--preprocess", "imagenet", "--fit", "20", "--test", "10", "--cut", "absent"]),
            (4, "at least 20 are needed", [resnet, "--images", images, "--preprocess", "imagenet", "--members", TestData.Path("inputs/images224")]),
            (2, "--members", [TestData.Path("models/text/sentiment-movie-review.onnx"), "--tokens", "--members", images]),
            (2, "--fit is 20 or more", [resnet, "--images", images, "--preprocess", "imagenet", "--test", "9"]),
            (2, "--threads", [resnet, "--images", images, "--preprocess", "imagenet", "--threads", "0"]),
            (2, "--size", [resnet, "--images", images, "--preprocess", "imagenet", "--size", "large"]),
        ];
        foreach ((int code, string says, string[] arguments) in cases)
        {
            Ended ended = await CloisterCommand.RunAsync(["model", "assess", .. arguments, "--out", _folder["refused"]]);
            Assert.True(ended.Code == code, $"{says}: {ended.Code}\n{ended.Error}");
            Assert.True(ended.Error.Contains(says, StringComparison.Ordinal), ended.Error);
        }
    }

    public void Dispose() => _folder.Dispose();

    private static void AssertPage(string html)
    {
        Assert.DoesNotContain("http:", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("https:", html, StringComparison.OrdinalIgnoreCase);
        using var reader = XmlReader.Create(new StringReader(html["<!DOCTYPE html>".Length..]));
        XElement page = XElement.Load(reader);
        Assert.True(page.Descendants("img").Count() > 12);
        Assert.Equal(5, page.Descendants("svg").Count());
    }

    private async Task<JsonObject> AssessAsync()
    {
        byte[] pictures = await File.ReadAllBytesAsync(TestData.Path("inputs/cifar10/cifar10_test_2000.bin"));
        await File.WriteAllBytesAsync(_folder["new.bin"], pictures[..(1000 * 3073)]);
        await File.WriteAllBytesAsync(_folder["members.bin"], pictures[(1000 * 3073)..(1100 * 3073)]);
        Ended ended = await CloisterCommand.RunAsync(
            "model", "assess", Model, "--images", _folder["new.bin"], "--members", _folder["members.bin"], "--preprocess", "imagenet", "--oracle", Model, "--public", Model,
            "--cut", Late, "--cut", Early, "--tail", Flat, "--fit", "40", "--test", "20", "--out", _folder["out"], "--json");
        ended.Succeeded();
        return ended.Lines[^1];
    }

    private Task<Ended> PartitionAsync(string folder, string cut, params string[] more) =>
        CloisterCommand.RunAsync(["model", "partition", "--model", Model, "--cut", cut, "--assessor", _folder["owner/maker.pem"], "--out", _folder[folder], .. more]);

    private static string WithoutTime(string report)
    {
        JsonNode document = JsonNode.Parse(report)!;
        document["time"] = null;
        return document.ToJsonString();
    }

    private static string DigestOf(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
}

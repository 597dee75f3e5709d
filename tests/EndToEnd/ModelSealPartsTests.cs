using Cloister.Tests;

namespace Cloister.EndToEnd;

/// <summary>A model in parts, from the folder that was signed into a sealed file that says what it is.</summary>
public sealed class ModelSealPartsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [SharedDataFact]
    public async Task PartsAreSealedAsTheyWereSignedAndNotOtherwise()
    {
        string model = TestData.Path("models/vision/cifar10-resnet20.onnx"), labels = TestData.Path("inputs/labels/cifar10.txt");
        Directory.CreateDirectory(_folder["store"]);
        (await CloisterCommand.RunAsync("model", "keygen", "--out", _folder["owner"])).Succeeded();
        (await CloisterCommand.RunAsync("model", "partition", "--model", model, "--cut", "layer1.2/add/relu", "--tail", "flat", "--assessor", _folder["owner/maker.pem"], "--out", _folder["parts"])).Succeeded();
        Ended sealing = await SealAsync("--partition", _folder["parts"], "--labels", labels, "--preprocess", "imagenet", "--json");
        sealing.Succeeded();
        Assert.Equal((string)sealing.Lines[^1]["makerKey"]!, (string)sealing.Lines[^1]["assessorKey"]!);
        Ended inspected = await CloisterCommand.RunAsync("model", "inspect", _folder["store/cifar.sealed"], "--json");
        inspected.Succeeded();
        Assert.Equal("partitioned", (string)inspected.Lines[^1]["mode"]!);
        Assert.Equal(["back.onnx", "config.json", "front.onnx", "labels.txt", "partition.json", "tail.onnx"],
            inspected.Lines[^1]["entries"]!.AsArray().Select(entry => (string)entry!["name"]!).Order(StringComparer.Ordinal));

        await File.WriteAllTextAsync(_folder["quoted.txt"], string.Join('\n', Enumerable.Range(0, 10).Select(index => $"\"{index}\"")));
        await File.WriteAllTextAsync(_folder["config.json"], """{"partition":{"topK":3}}""");
        (string Says, int Code, string[] Arguments)[] refused =
        [
            ("line 1 has the character U+0022", 4, ["--partition", _folder["parts"], "--labels", _folder["quoted.txt"]]),
            ("Give --model, a file, or --partition", 2, []),
            ("the model is not in parts", 4, ["--model", model, "--config", _folder["config.json"]]),
        ];
        foreach ((string says, int code, string[] arguments) in refused)
        {
            Ended ended = await SealAsync(arguments);
            Assert.True(ended.Code == code && ended.Error.Contains(says, StringComparison.Ordinal), $"{ended.Code} {ended.Error}");
        }
        byte[] back = await File.ReadAllBytesAsync(_folder["parts/back.onnx"]);
        back[^1] ^= 1;
        await File.WriteAllBytesAsync(_folder["parts/back.onnx"], back);
        Ended tampered = await SealAsync("--partition", _folder["parts"]);
        Assert.Equal(4, tampered.Code);
        Assert.Contains("back.onnx has the digest", tampered.Error, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private Task<Ended> SealAsync(params string[] arguments) =>
        CloisterCommand.RunAsync(["model", "seal", .. arguments, "--name", "cifar", "--key", _folder["owner/model.key"], "--maker", _folder["owner/maker.pem"], "--out", _folder["store/cifar.sealed"]]);
}

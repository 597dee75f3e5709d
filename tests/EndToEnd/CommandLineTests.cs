using System.Text.Json.Nodes;
using Cloister.Tests;

namespace Cloister.EndToEnd;

/// <summary>The command line as a person meets it: help with examples, exit codes, clear errors.</summary>
public sealed class CommandLineTests
{
    private static string SampleModel => Path.Combine(TestData.RepositoryRoot, "samples", "Shapes", "model", "shapes.onnx");

    [Theory]
    [InlineData("quickstart")]
    [InlineData("simulator")]
    [InlineData("coordinator", "run")]
    [InlineData("manifest", "set")]
    [InlineData("manifest", "get")]
    [InlineData("manifest", "verify")]
    [InlineData("manifest", "check")]
    [InlineData("manifest", "signature")]
    [InlineData("manifest", "log")]
    [InlineData("manifest", "update", "apply")]
    [InlineData("manifest", "update", "acknowledge")]
    [InlineData("manifest", "update", "cancel")]
    [InlineData("manifest", "update", "get")]
    [InlineData("verify")]
    [InlineData("status")]
    [InlineData("check")]
    [InlineData("version")]
    [InlineData("package-info")]
    [InlineData("certificate", "root")]
    [InlineData("certificate", "intermediate")]
    [InlineData("certificate", "chain")]
    [InlineData("recover")]
    [InlineData("recover-with-signature")]
    [InlineData("recover-with-signature", "public-key")]
    [InlineData("recover-with-signature", "encrypt-secret")]
    [InlineData("recover-with-signature", "sign-secret")]
    [InlineData("secret", "set")]
    [InlineData("secret", "get")]
    [InlineData("secret", "acknowledge")]
    [InlineData("user", "keygen")]
    [InlineData("user", "token")]
    [InlineData("model", "keygen")]
    [InlineData("model", "seal")]
    [InlineData("model", "open")]
    [InlineData("model", "inspect")]
    [InlineData("model", "cuts")]
    [InlineData("serve")]
    [InlineData("model-server")]
    [InlineData("predict")]
    [InlineData("he", "compile")]
    [InlineData("he", "keygen")]
    [InlineData("he", "encrypt")]
    [InlineData("he", "predict")]
    [InlineData("he", "decrypt")]
    [InlineData("he", "inspect")]
    [InlineData("he", "page")]
    [InlineData("workload", "run")]
    [InlineData("workload", "measure")]
    [InlineData("attest", "verify")]
    [InlineData("attest", "inspect")]
    [InlineData("attest", "explain")]
    [InlineData("attest", "policy", "from-evidence")]
    public async Task Every_verb_has_help_with_examples(params string[] verb)
    {
        Ended ended = await CloisterCommand.RunAsync([.. verb, "--help"]);
        ended.Succeeded();
        Assert.Contains("Examples:", ended.Output, StringComparison.Ordinal);
        Assert.Contains("  cloister " + string.Join(' ', verb), ended.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', ended.Output);
    }

    [Fact]
    public async Task Every_verb_stands_in_the_document()
    {
        string document = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "docs", "cli.md"));
        var open = new Queue<string[]>([[]]);
        int seen = 0;
        while (open.TryDequeue(out string[]? verb))
        {
            Ended help = await CloisterCommand.RunAsync([.. verb, "--help"]);
            help.Succeeded();
            int commands = help.Output.IndexOf("\nCommands:", StringComparison.Ordinal);
            if (commands < 0)
                continue;
            foreach (string line in help.Output[(commands + 1)..].Split('\n').Skip(1).TakeWhile(line => line.StartsWith("  ", StringComparison.Ordinal)))
            {
                if (line[2] == ' ')
                    continue; // a description that goes on
                string name = line.TrimStart().Split(' ')[0];
                seen++;
                Assert.True(document.Contains('`' + name, StringComparison.Ordinal) || document.Contains($" {name}", StringComparison.Ordinal), $"docs/cli.md does not name '{string.Join(' ', verb)} {name}'.");
                open.Enqueue([.. verb, name]);
            }
        }
        Assert.True(seen >= 40, $"only {seen} verbs were found");
    }

    [Fact]
    public async Task A_wrong_command_line_is_exit_code_2_and_says_where_help_is()
    {
        Ended ended = await CloisterCommand.RunAsync("model", "seal", "--modle", "x");
        Assert.Equal(2, ended.Code);
        Assert.Contains("cloister model seal --help", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_file_is_exit_code_4_with_its_name()
    {
        Ended ended = await CloisterCommand.RunAsync("model", "inspect", "nowhere.sealed");
        Assert.Equal(4, ended.Code);
        Assert.Contains("nowhere.sealed", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_coordinator_that_is_not_there_is_exit_code_5()
    {
        Ended ended = await CloisterCommand.RunAsync("status", "--coordinator", "https://127.0.0.1:1", "--json");
        Assert.Equal(5, ended.Code);
        Assert.Equal(5, (int)Assert.Single(ended.Lines)["exitCode"]!);
    }

    [Fact]
    public async Task Where_a_model_can_be_cut_is_shown_with_the_price()
    {
        string shapes = Path.Combine(CloisterCommand.Folder, "sample", "shapes.onnx");
        Ended table = await CloisterCommand.RunAsync("model", "cuts", shapes, "--max-tensors", "2");
        table.Succeeded();
        Assert.Contains("weights before", table.Output, StringComparison.Ordinal);
        Ended json = await CloisterCommand.RunAsync("model", "cuts", shapes, "--json");
        json.Succeeded();
        JsonNode cut = JsonNode.Parse(json.Output)!["cuts"]![0]!;
        Assert.Contains((string)cut["tensors"]![0]!["name"]!, table.Output, StringComparison.Ordinal);
        Assert.True((long)cut["boundaryBytes"]! > 0);
        Assert.InRange((double)cut["macShareBefore"]!, 0, 1);

        Assert.Equal(2, (await CloisterCommand.RunAsync("model", "cuts", shapes, "--shape", "nothing=1,2")).Code);
        Assert.Equal(2, (await CloisterCommand.RunAsync("model", "cuts", shapes, "--shape", "1x2")).Code);
        Assert.Equal(4, (await CloisterCommand.RunAsync("model", "cuts", Path.Combine(CloisterCommand.Folder, "sample", "labels.txt"))).Code);
    }

    [Fact]
    public async Task A_model_is_sealed_inspected_opened_and_refused_when_changed()
    {
        using var folder = new TemporaryFolder();
        string sealedFile = folder["shapes.sealed"], labels = folder["labels.txt"];
        (await CloisterCommand.RunAsync("model", "keygen", "--out", folder.Path)).Succeeded();
        Ended again = await CloisterCommand.RunAsync("model", "keygen", "--out", folder.Path);
        Assert.Equal(4, again.Code); // a key is never overwritten
        await File.WriteAllTextAsync(labels, "a\nb\n");
        Ended sealing = await CloisterCommand.RunAsync("model", "seal", "--model", SampleModel, "--labels", labels, "--preprocess", "unit", "--name", "shapes",
            "--key", folder["model.key"], "--maker", folder["maker.pem"], "--out", sealedFile, "--json");
        sealing.Succeeded();
        Ended inspection = await CloisterCommand.RunAsync("model", "inspect", sealedFile, "--json");
        inspection.Succeeded();
        Assert.Equal((string)sealing.Lines[0]["digest"]!, (string)inspection.Lines[0]["digest"]!);

        string[] open = ["model", "open", sealedFile, "--key", folder["model.key"], "--maker-public", folder["maker.pub"]];
        (await CloisterCommand.RunAsync([.. open, "--extract", "labels.txt", "--out", folder["extracted.txt"]])).Succeeded();
        Assert.Equal(await File.ReadAllBytesAsync(labels), await File.ReadAllBytesAsync(folder["extracted.txt"]));

        byte[] bytes = await File.ReadAllBytesAsync(sealedFile);
        bytes[^100] ^= 1;
        await File.WriteAllBytesAsync(sealedFile, bytes);
        Ended refused = await CloisterCommand.RunAsync(open);
        Assert.Equal(3, refused.Code);
        Assert.Contains("changed", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_and_warm_up_requests_are_sealed_beside_the_model()
    {
        using var folder = new TemporaryFolder();
        (await CloisterCommand.RunAsync("model", "keygen", "--out", folder.Path)).Succeeded();
        await File.WriteAllTextAsync(folder["config.json"], """{"threads":2,"weights":"in-place"}""");
        await File.WriteAllTextAsync(folder["bad.json"], """{"thread":2}""");
        await File.WriteAllTextAsync(folder["requests.jsonl"], "{}\n");
        string[] seal = ["model", "seal", "--model", SampleModel, "--name", "shapes", "--key", folder["model.key"], "--maker", folder["maker.pem"], "--out", folder["shapes.sealed"]];
        (await CloisterCommand.RunAsync([.. seal, "--config", folder["config.json"], "--warmup", folder["requests.jsonl"]])).Succeeded();
        string[] open = ["model", "open", folder["shapes.sealed"], "--key", folder["model.key"], "--maker-public", folder["maker.pub"]];
        (await CloisterCommand.RunAsync([.. open, "--extract", "config.json", "--out", folder["read.json"]])).Succeeded();
        Assert.Equal(await File.ReadAllBytesAsync(folder["config.json"]), await File.ReadAllBytesAsync(folder["read.json"]));
        (await CloisterCommand.RunAsync([.. open, "--extract", "warmup.jsonl", "--out", folder["read.jsonl"]])).Succeeded();
        Ended refused = await CloisterCommand.RunAsync([.. seal, "--config", folder["bad.json"]]);
        Assert.Equal(4, refused.Code);
        Assert.Contains("Member 'thread' is unknown", refused.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await CloisterCommand.RunAsync([.. seal, "--config", folder["config.json"], "--preprocess", "unit"])).Code);
    }

    [Fact]
    public async Task An_ONNX_file_that_is_none_is_not_sealed()
    {
        using var folder = new TemporaryFolder();
        (await CloisterCommand.RunAsync("model", "keygen", "--out", folder.Path)).Succeeded();
        await File.WriteAllTextAsync(folder["bad.onnx"], "this is not a model");
        Ended ended = await CloisterCommand.RunAsync("model", "seal", "--model", folder["bad.onnx"], "--name", "bad",
            "--key", folder["model.key"], "--maker", folder["maker.pem"], "--out", folder["bad.sealed"]);
        Assert.Equal(4, ended.Code);
        Assert.False(File.Exists(folder["bad.sealed"]));
    }

    [Fact]
    public async Task A_manifest_with_several_problems_gets_all_of_them_at_once()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["manifest.json"], """{ "Packages": { "p": { "Simulation": { "Digest": "xyz", "HostKeys": [] } } }, "Marbles": { "m": { "Package": "q" } }, "Surprise": 1 }""");
        Ended ended = await CloisterCommand.RunAsync("manifest", "check", folder["manifest.json"], "--json");
        Assert.Equal(4, ended.Code);
        Assert.True(ended.Lines[0]["problems"]!.AsArray().Count >= 2, ended.Output);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    public async Task A_manifest_that_is_no_manifest_is_refused(string text)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["manifest.json"], text);
        Assert.Equal(4, (await CloisterCommand.RunAsync("manifest", "check", folder["manifest.json"])).Code);
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Cloister.EndToEnd;

/// <summary>A model compiled from the command line, and what is said where it cannot be.</summary>
public sealed class HeCompileTests : IDisposable
{
    private const string Forest = """
        tree
        version=v3
        num_class=1
        num_tree_per_iteration=1
        max_feature_idx=1
        objective=binary sigmoid:1
        feature_names=age size
        feature_infos=[0:1] [0:1]
        tree_sizes=1

        Tree=0
        num_leaves=3
        num_cat=0
        split_feature=0 1
        threshold=0.5 2.5
        decision_type=2 2
        left_child=-1 -2
        right_child=1 -3
        leaf_value=-1 0.5 2
        shrinkage=1


        end of trees

        """;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task AModelIsCompiledAndWhatCameOfItIsPrinted()
    {
        Ended text = await CompileAsync("--target", "answer", "--positive", "yes", "--hold-out", "20", "--name", "small");
        Assert.True(text.Code == 0, text.Error);
        foreach (string said in (string[])["compiled 'small'", "Forest design", "in the clear", "held out", "What a client learns", "client.json"])
            Assert.Contains(said, text.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(At("out/model.he")));
        Assert.Equal("small", (string?)JsonNode.Parse(await File.ReadAllTextAsync(At("out/client.json")))!["model"]);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("out/model.he")));

        Ended json = await CompileAsync("--json", "--target", "answer", "--positive", "yes");
        JsonNode document = JsonNode.Parse(json.Output)!;
        Assert.Equal("Forest", (string?)document["design"]);
        Assert.Equal(100, (int)document["calibration"]!["rows"]!);
        Assert.Equal((double?)document["calibration"]!["plain"], (double?)document["calibration"]!["compiled"]);
        Assert.Equal((string?)document["digest"], (string?)JsonNode.Parse(await File.ReadAllTextAsync(At("out/client.json")))!["digest"]);
    }

    [Fact]
    public async Task WhatCannotBeCompiledIsSaidWithItsNumberAndItsCause()
    {
        Assert.Equal(2, (await CompileAsync("--levels", "20")).Code);
        Assert.Equal(2, (await CompileAsync("--security", "100")).Code);
        Assert.Equal(2, (await CompileAsync("--hold-out", "90")).Code);
        await RefusedAsync("304", "no column 'absent'", "--target", "absent");
        await RefusedAsync("303", "no class of the model", "--target", "answer");
        await RefusedAsync("303", "drop the columns that hold text", [], Forest.Replace("=age size", "=years size", StringComparison.Ordinal));
        await RefusedAsync("208", "'nonsense'", ["--drop", "answer"], Forest.Replace("binary sigmoid:1", "nonsense", StringComparison.Ordinal));
        await RefusedAsync("101", "no model of a kind that is read", ["--drop", "answer"], "a pickle");
    }

    public void Dispose() => _folder.Dispose();

    private Task RefusedAsync(string number, string why, params string[] options) => RefusedAsync(number, why, options, Forest);

    private async Task RefusedAsync(string number, string why, string[] options, string model)
    {
        Ended ended = await CompileAsync(model, options);
        Assert.Equal(4, ended.Code);
        Assert.Contains(number, ended.Error, StringComparison.Ordinal);
        Assert.Contains(why, ended.Error, StringComparison.OrdinalIgnoreCase);
    }

    private Task<Ended> CompileAsync(params string[] options) => CompileAsync(Forest, options);

    private async Task<Ended> CompileAsync(string model, string[] options)
    {
        var table = new StringBuilder("answer,size,age\n");
        for (int i = 0; i < 100; i++) table.Append(CultureInfo.InvariantCulture, $"{(i % 10 > 5 ? "yes" : "no")},{i % 7},{i % 10 / 10.0}\n");
        await File.WriteAllTextAsync(At("table.csv"), table.ToString());
        await File.WriteAllTextAsync(At("model.txt"), model.ReplaceLineEndings("\n"));
        return await CloisterCommand.RunAsync(["he", "compile", At("model.txt"), "--calibrate", At("table.csv"), "-o", At("out"), .. options]);
    }

    private string At(string name) => _folder[name];
}

using System.Globalization;
using System.Text.Json.Nodes;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire;

namespace Cloister.EndToEnd;

/// <summary>The client's verbs of encrypted models without a server: keys, queries and answers are files, and the compiled model computes here.</summary>
public sealed class EncryptedVerbsTests : IDisposable
{
    private const string Words = "a passphrase of words";

    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-he-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_linear_model_is_asked_offline_from_key_to_prediction()
    {
        using CompiledModel model = Linear(circuitPrivacy: false);
        await AskAsync(model, "a,b,id\n0.9,1,7\n0.1,9,8\n0.2,0.1,9\n", ["yes", "no", "yes"]);
    }

    [Fact]
    public async Task A_model_that_hides_itself_is_asked_offline_with_a_public_key()
    {
        using CompiledModel model = Linear(circuitPrivacy: true);
        await AskAsync(model, "b,a\n1,0.9\n9,0.1\n", ["yes", "no"]);
    }

    [Fact]
    public async Task A_forest_is_asked_offline_from_key_to_prediction()
    {
        using CompiledModel model = Stumps();
        await AskAsync(model, "a,b\n0.9,1\n0.1,9\n", ["yes", "no"]);
    }

    [Fact]
    public async Task Json_rows_say_the_same()
    {
        using CompiledModel model = Linear(circuitPrivacy: false);
        await AskAsync(model, """[{"a":0.9,"b":1,"id":7},[0.1,9]]""", ["yes", "no"], "rows.json");
    }

    [Fact]
    public async Task Inspect_says_what_files_are_and_no_secret()
    {
        using CompiledModel model = Linear(circuitPrivacy: true);
        await AskAsync(model, "a,b\n0.9,1\n", ["yes"]);
        File.WriteAllBytes(At("model.he"), model.ToBytes());
        string digest = model.Client.Digest;
        foreach ((string file, string kind, string fact) in new[]
        {
            ("client.key", "client's key", "PBKDF2-SHA256 with 100000 iterations"), ("client.json", "client specification", digest), ("rows.query", "query", digest), ("rows.answer", "answer", "compact"),
            ("model.he", "compiled model", "secret part"),
        })
        {
            Ended seen = await CloisterCommand.RunAsync("he", "inspect", At(file));
            seen.Succeeded();
            Assert.StartsWith(kind, seen.Output, StringComparison.Ordinal);
            Assert.Contains(fact, seen.Output, StringComparison.Ordinal);
        }
        Ended whole = await CloisterCommand.RunAsync("he", "inspect", At("rows.query"), "--spec", At("client.json"), "--json");
        whole.Succeeded();
        JsonObject[] facts = [.. whole.Lines[0]["facts"]!.AsArray().Select(fact => fact!.AsObject())];
        Assert.Contains(facts, fact => (string)fact["name"]! == "security" && ((string)fact["value"]!).StartsWith("128 bits: 106 of at most 106", StringComparison.Ordinal));
        Assert.Contains(facts, fact => (string)fact["name"]! == "checked");

        byte[] broken = File.ReadAllBytes(At("rows.query"));
        File.WriteAllBytes(At("broken.query"), broken[..^1]);
        Ended refused = await CloisterCommand.RunAsync("he", "inspect", At("broken.query"), "--spec", At("client.json"));
        Assert.Equal(4, refused.Code);
        Assert.Contains("323 WireTruncated", refused.Error, StringComparison.Ordinal);
        File.WriteAllText(At("other"), "hello");
        Assert.Equal(4, (await CloisterCommand.RunAsync("he", "inspect", At("other"))).Code);
    }

    [Fact]
    public async Task Rows_and_keys_that_do_not_fit_are_refused_with_row_and_column()
    {
        using CompiledModel model = Linear(circuitPrivacy: false);
        await KeygenAsync(model);
        Ended again = await RunAsync("keygen", "--spec", At("client.json"), "--out", At("client.key"), "--passphrase-file", At("words"));
        Assert.Equal(4, again.Code);
        Assert.Contains("never overwritten", again.Error, StringComparison.Ordinal);

        foreach ((string csv, string reason) in new[]
        {
            ("a,b\n0.5,1\n0.5,\n", "Row 2: 'b' is absent"), ("a,b\n0.5,x\n", "'b'"), ("a,c\n1,2\n", "'b'"), ("a,b\n", "no rows"),
        })
        {
            Ended refused = await EncryptAsync(csv);
            Assert.True(refused.Code == 4, refused.Output + refused.Error);
            Assert.Contains(reason, refused.Error, StringComparison.Ordinal);
            Assert.False(File.Exists(At("rows.query")));
        }
        Ended strict = await EncryptAsync("a,b\n1e9,1\n", "--strict");
        Assert.Equal(4, strict.Code);
        Assert.Contains("Row 1: 'a' is outside", strict.Error, StringComparison.Ordinal);
        Ended held = await EncryptAsync("a,b\n1e9,1\n1e9,1\n", "--json");
        held.Succeeded();
        Assert.Contains("2 value(s) of 'a'", held.Error, StringComparison.Ordinal);
        Assert.Equal(2, (int)held.Lines[0]["outOfRange"]!);
        Ended nameless = await EncryptAsync("0.5,1\n", "--no-header");
        nameless.Succeeded();

        File.WriteAllText(At("words"), "another passphrase");
        Ended locked = await EncryptAsync("a,b\n0.5,1\n");
        Assert.Equal(3, locked.Code);
        Assert.Contains("passphrase", locked.Error, StringComparison.Ordinal);
        File.WriteAllText(At("words"), "short");
        Assert.Equal(2, (await RunAsync("keygen", "--spec", At("client.json"), "--out", At("other.key"), "--passphrase-file", At("words"))).Code);
        Assert.Equal(2, (await RunAsync("keygen", "--out", At("other.key"), "--passphrase-file", At("words"))).Code);
        Assert.Equal(2, (await RunAsync("decrypt", "--spec", At("client.json"), "--client-key", At("client.key"), "--answer", At("client.json"))).Code);
    }

    [Fact]
    public async Task A_key_for_other_parameters_and_an_answer_to_another_key_give_no_prediction()
    {
        using CompiledModel model = Linear(circuitPrivacy: false), other = Linear(circuitPrivacy: true);
        await KeygenAsync(other);
        File.WriteAllBytes(At("client.json"), ClientSpecificationJson.Write(model.Client));
        Ended refused = await EncryptAsync("a,b\n0.5,1\n");
        Assert.Equal(4, refused.Code);
        Assert.Contains("326 WireParameters", refused.Error, StringComparison.Ordinal);
    }

    private async Task AskAsync(CompiledModel model, string rows, string[] classes, string name = "rows.csv")
    {
        await KeygenAsync(model);
        (await EncryptAsync(rows, name: name)).Succeeded();

        using (EncryptedQuery query = QueryFormat.Read(File.ReadAllBytes(At("rows.query")), model.Parameters, model.Client))
        using (PublicKey? key = query.PublicKey)
        using (EncryptedAnswer answer = model.Evaluate(query, AnswerForm.Compact, default))
            File.WriteAllBytes(At("rows.answer"), AnswerFormat.Write(answer, model.Parameters, model.Client));

        string[] decrypt = ["decrypt", "--spec", At("client.json"), "--client-key", At("client.key"), "--answer", At("rows.answer"), "--passphrase-file", At("words")];
        Ended json = await RunAsync([.. decrypt, "--json"]), text = await RunAsync(decrypt);
        json.Succeeded();
        text.Succeeded();
        Assert.Equal(classes, json.Lines[0]["predictions"]!.AsArray().Select(prediction => (string)prediction!["class"]!));
        Assert.Equal(classes, text.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]));
    }

    private async Task KeygenAsync(CompiledModel model)
    {
        File.WriteAllBytes(At("client.json"), ClientSpecificationJson.Write(model.Client));
        File.WriteAllText(At("words"), Words + "\n");
        Ended made = await RunAsync("keygen", "--spec", At("client.json"), "--out", At("client.key"), "--passphrase-file", At("words"), "--iterations", KeyFile.MinimumIterations.ToString(CultureInfo.InvariantCulture), "--json");
        made.Succeeded();
        Assert.Equal(KeyFile.Describe(File.ReadAllBytes(At("client.key"))).Id.ToString(), (string)made.Lines[0]["keyId"]!);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("client.key")));
    }

    private Task<Ended> EncryptAsync(string rows, string? option = null, string name = "rows.csv")
    {
        File.WriteAllText(At(name), rows);
        string[] more = option is null ? [] : [option];
        return RunAsync(["encrypt", "--spec", At("client.json"), "--client-key", At("client.key"), "--rows", At(name), "--out", At("rows.query"), "--passphrase-file", At("words"), .. more]);
    }

    private static Task<Ended> RunAsync(params string[] arguments) => CloisterCommand.RunAsync(["he", .. arguments]);

    private string At(string name) => Path.Combine(_folder, name);

    private static double[][] Table()
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, 200).Select(_ => new[] { random.NextDouble(), random.NextDouble() * 10 })];
    }

    private static CompiledModel Linear(bool circuitPrivacy) => LinearCompiler.Compile(
        new LinearModel { Features = ["a", "b"], Weights = [[2, -1]], Intercepts = [0.25], Link = LinkFunction.Logistic, Classes = ["no", "yes"] },
        Table(), new LinearOptions { Name = "line", CircuitPrivacy = circuitPrivacy });

    private static CompiledModel Stumps() => ForestCompiler.Compile(
        new Forest
        {
            Features = ["a", "b"],
            BaseScores = [0],
            Link = LinkFunction.Logistic,
            Classes = ["no", "yes"],
            Trees = [Stump(0, 0.5, -1, 1), Stump(1, 5, 1, -1)],
        },
        Table(), new ForestOptions { Name = "stumps", Levels = 16 });

    private static DecisionTree Stump(int feature, double threshold, double below, double above) => new(
    [
        new TreeNode { Feature = feature, Test = NodeTest.LessOrEqual, Threshold = threshold, Yes = 1, No = 2 },
        new TreeNode { Values = [below] },
        new TreeNode { Values = [above] },
    ]);
}

using System.Diagnostics;
using System.Text.Json.Nodes;
using Cloister.Homomorphic.Models;

namespace Cloister.EndToEnd;

/// <summary>The client's verbs against the stack that `quickstart --mode encrypted --keep` leaves running.</summary>
public sealed class EncryptedStackTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-he-").FullName;
    private Process? _quickstart;
    private string[] _deployment = [];

    public async Task InitializeAsync()
    {
        _quickstart = CloisterCommand.Start("quickstart", "--mode", "encrypted", "--keep", "--json");
        JsonObject kept = await CloisterCommand.WaitForAsync(_quickstart, "kept");
        string client = Path.Combine((string)kept["workspace"]!, "client");
        _deployment = ["--coordinator", (string)kept["coordinator"]!, "--policy", Path.Combine(client, "policy.json"), "--workload", (string)kept["workload"]!, "--model", "spam", "--token", Path.Combine(client, "token")];
        File.WriteAllText(At("words"), "a passphrase of words\n");
    }

    public async Task DisposeAsync()
    {
        if (_quickstart is { HasExited: false }) _quickstart.Kill(entireProcessTree: true);
        if (_quickstart is not null) await _quickstart.WaitForExitAsync();
        _quickstart?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_key_is_made_for_a_verified_model_and_rows_travel_as_files()
    {
        string[] words = ["--passphrase-file", At("words")];
        Ended made = await RunAsync(["keygen", .. _deployment, "--type", "inference", "--save-spec", At("client.json"), "--out", At("client.key"), "--iterations", "100000", .. words, "--json"]);
        made.Succeeded();
        ClientSpecification specification = ClientSpecificationJson.Read(File.ReadAllBytes(At("client.json")));
        File.WriteAllText(At("rows.json"), $"[{string.Join(',', Enumerable.Range(0, 3).Select(row => $"[{string.Join(',', specification.Features.Select((_, i) => (i + row) % 3))}]"))}]");

        (await RunAsync(["encrypt", "--spec", At("client.json"), "--client-key", At("client.key"), "--rows", At("rows.json"), "--out", At("rows.query"), .. words])).Succeeded();
        Ended passed = await RunAsync(["predict", .. _deployment, "--type", "inference", "--query", At("rows.query"), "--out", At("rows.answer"), "--json"]);
        passed.Succeeded();
        Assert.DoesNotContain("predictions", passed.Output, StringComparison.Ordinal);
        Ended offline = await RunAsync(["decrypt", "--spec", At("client.json"), "--client-key", At("client.key"), "--answer", At("rows.answer"), .. words, "--json"]);
        offline.Succeeded();

        Ended whole = await RunAsync(["predict", .. _deployment, "--type", "inference", "--digest", specification.Digest, "--rows", At("rows.json"), "--client-key", At("client.key"), .. words, "--json"]);
        whole.Succeeded();
        Assert.Equal((string)made.Lines[^1]["keyId"]!, (string)whole.Lines[^1]["keyId"]!);
        Assert.Equal(3, whole.Lines[^1]["predictions"]!.AsArray().Count);
        Assert.Equal(whole.Lines[^1]["predictions"]!.ToJsonString(), offline.Lines[^1]["predictions"]!.ToJsonString());

        // Another model, another program and another query are refused, and nothing is encrypted for them.
        Ended pinned = await RunAsync(["predict", .. _deployment, "--type", "inference", "--digest", new string('0', 64), "--rows", At("rows.json")]);
        Assert.Equal(3, pinned.Code);
        Assert.Contains(specification.Digest, pinned.Error, StringComparison.Ordinal);
        Assert.Equal(3, (await RunAsync(["predict", .. _deployment, "--type", "another", "--rows", At("rows.json")])).Code);
        byte[] broken = File.ReadAllBytes(At("rows.query"));
        broken[^1] = 0xff;
        File.WriteAllBytes(At("broken.query"), broken[..^1]);
        Ended refused = await RunAsync(["predict", .. _deployment, "--type", "inference", "--query", At("broken.query"), "--out", At("none")]);
        Assert.Equal(4, refused.Code);
        Assert.Contains("error 323", refused.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(At("none")));
        Assert.Equal(2, (await RunAsync(["predict", .. _deployment, "--type", "inference"])).Code);
        Assert.Equal(2, (await RunAsync(["predict", "--rows", At("rows.json")])).Code);
    }

    private static Task<Ended> RunAsync(params string[] arguments) => CloisterCommand.RunAsync(["he", .. arguments]);

    private string At(string name) => Path.Combine(_folder, name);
}

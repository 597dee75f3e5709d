using System.Net;
using System.Text.Json;
using Cloister.Sealing;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Repository;

/// <summary>A model that is refused stays unavailable with a reason; the server and its other models go on.</summary>
public sealed class RefusedModelTests
{
    [Fact]
    public Task A_tampered_file() => CheckAsync(async store => await FlipAsync(store, -100), "half.sealed is refused (sealing error");

    [Fact]
    public Task A_tampered_header() => CheckAsync(async store => await FlipAsync(store, 20), "half.sealed is refused (sealing error");

    [Fact]
    public Task A_truncated_file() => CheckAsync(store =>
    {
        using FileStream file = File.Open(store.PathOf("half"), FileMode.Open);
        file.SetLength(file.Length - 1);
        return Task.CompletedTask;
    }, $"half.sealed is refused (sealing error {(int)SealingError.Truncated}): ");

    [Fact]
    public Task A_file_that_is_not_there() => CheckAsync(store =>
    {
        File.Delete(store.PathOf("half"));
        return Task.CompletedTask;
    }, "The store has no half.sealed; put the file that the model's owner sealed there and start the workload again.");

    [Fact]
    public Task Something_else_under_its_name() => CheckAsync(store => File.WriteAllTextAsync(store.PathOf("half"), "not sealed at all, but long enough to have a preamble"),
        $"half.sealed is refused (sealing error {(int)SealingError.NotASealedFile}): ");

    [Fact]
    public Task Another_model_of_the_same_maker() => CheckAsync(async store =>
    {
        await store.AddAsync("second", TestModels.HalfPlusTwo);
        File.Copy(store.PathOf("second"), store.PathOf("half"), overwrite: true);
    }, $"half.sealed is refused (sealing error {(int)SealingError.OtherDigest}): ");

    [Fact]
    public Task Another_maker() => CheckAsync(store =>
    {
        using MakerKey foreign = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);
        store.Change("half", grant => grant with { MakerKey = foreign.Public.SubjectPublicKeyInfo });
        return Task.CompletedTask;
    }, $"half.sealed is refused (sealing error {(int)SealingError.ForeignMaker}): ");

    [Fact]
    public Task Another_key() => CheckAsync(store => ChangeAsync(store, grant => grant with { Key = SecretBytes.Random(32) }), $"half.sealed is refused (sealing error {(int)SealingError.WrongKey}): ");

    [Fact]
    public Task A_key_of_another_length() => CheckAsync(store => ChangeAsync(store, grant => grant with { Key = SecretBytes.Random(16) }), $"half.sealed is refused (sealing error {(int)SealingError.KeyLength}): ");

    [Fact]
    public Task An_older_version() => CheckAsync(store => ChangeAsync(store, grant => grant with { MinimumVersion = 2 }), $"half.sealed is refused (sealing error {(int)SealingError.VersionTooOld}): ");

    [Fact]
    public Task Another_digest() => CheckAsync(store => ChangeAsync(store, grant => grant with { Digest = new string('a', 64) }), $"half.sealed is refused (sealing error {(int)SealingError.OtherDigest}): ");

    [Fact]
    public Task A_digest_that_is_none() => CheckAsync(store => ChangeAsync(store, grant => grant with { Digest = "abc" }), "The manifest's digest of model 'half' is not 64 hexadecimal digits; correct the manifest.");

    [Fact]
    public Task A_maker_s_key_that_is_none() => CheckAsync(store => ChangeAsync(store, grant => grant with { MakerKey = new byte[5] }), "The manifest's maker key of model 'half' is refused: ");

    [Theory, InlineData("../half"), InlineData(".half"), InlineData("ha/lf"), InlineData(""), InlineData("h\u00e4lf")]
    public async Task A_name_that_could_leave_the_store(string name)
    {
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        store.Change("half", grant => grant with { Name = name });
        await using TestServer server = await TestServer.StartAsync(store);
        Assert.StartsWith($"'{name}' cannot be a model's name here: ", server.Host.Models.Single().Reason, StringComparison.Ordinal);
    }

    [Fact]
    public Task Another_name_where_no_digest_is_pinned() => CheckAsync(async store =>
    {
        await store.AddAsync("second", TestModels.HalfPlusTwo);
        File.Copy(store.PathOf("second"), store.PathOf("half"), overwrite: true);
        await ChangeAsync(store, grant => grant with { Digest = "" });
    }, $"half.sealed is refused (sealing error {(int)SealingError.OtherName}): ");

    [Theory]
    [InlineData("{", "config.json is refused: The body is not valid JSON: the document ends too early (byte 1).")]
    [InlineData("{}x", "config.json is refused: The body is not valid JSON: a value was expected (byte 2).")]
    [InlineData("""{"preprocess":"magic"}""", "config.json is refused: There is no preprocessing 'magic'; known are ")]
    [InlineData("""{"preprocess":"unit"}""", "config.json is refused: 'preprocess' needs exactly one FP32 input of shape [N, 1 or 3, height, width]; the model has 0.")]
    [InlineData("""{"resize":"nearest"}""", "config.json is refused: 'resize' needs 'preprocess' (byte 20).")]
    [InlineData("""{"threads":0}""", "config.json is refused: 'threads' must be a whole number from 1 to 256 (byte 11).")]
    [InlineData("""{"weights":"somewhere"}""", "config.json is refused: 'weights' must be in-place or packed, not 'somewhere' (byte 22).")]
    [InlineData("""{"colour":"red"}""", "config.json is refused: Member 'colour' is unknown; known are preprocess, resize, threads, queueLimit, concurrency, batching, timeoutMilliseconds, warmup, weights, partition (byte 10).")]
    public Task A_bad_configuration(string configuration, string reason) => CheckEntriesAsync(reason,
        ("model.onnx", TestModels.HalfPlusTwo), ("config.json", System.Text.Encoding.UTF8.GetBytes(configuration)));

    [Fact]
    public Task A_preprocessing_that_does_not_fit_the_model() => CheckEntriesAsync("config.json is refused: Preprocessing 'grey-unit' does not make 3 channels.",
        ("model.onnx", TestModels.PictureMean), ("config.json", """{"preprocess":"grey-unit"}"""u8.ToArray()));

    [Fact]
    public Task Bad_labels() => CheckEntriesAsync("labels.txt is refused: it is not UTF-8.", ("model.onnx", TestModels.HalfPlusTwo), ("labels.txt", [0xFF]));

    [Fact]
    public Task No_model() => CheckEntriesAsync("bad.sealed has no entry model.onnx or model.he; seal the model under one of these names.", ("labels.txt", "a"u8.ToArray()));

    [Fact]
    public Task The_maker_s_signature_counts_before_the_model_does() => CheckAsync(async store =>
    {
        // A broken model under another maker's signature: what is said is that the maker is another one.
        using Cloister.Sealing.MakerKey other = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);
        await SealedFile.SealAsync(store.PathOf("half"), new SealedContent("half", 1, [SealedSource.FromBytes("model.onnx", [1, 2, 3])]), store.Grants[0].Key.Memory, other);
    }, $"half.sealed is refused (sealing error {(int)SealingError.ForeignMaker}): ");

    [Fact]
    public async Task Large_weights_inside_the_model_are_used_in_place_or_packed_as_the_maker_says()
    {
        const int width = 160;
        float[] weights = new float[width * width];
        for (int i = 0; i < width; i++) weights[i * width + i] = 2;
        byte[] model = new Cloister.Onnx.Tests.Runtime.HandmadeModel().Input("x", 1, -1, width).Inline("w", 1, [width, width], weights)
            .Node("MatMul", ["x", "w"], ["y"]).Output("y", 1, -1, width).ToBytes();
        var store = new TestStore();
        await store.AddAsync("placed", model, """{"weights":"in-place"}""");
        await store.AddAsync("packed", model, """{"weights":"packed"}""");
        await using TestServer server = await TestServer.StartAsync(store);
        string request = $$"""{"instances":[[{{string.Join(',', Enumerable.Range(0, width))}}]]}""";
        (HttpStatusCode Status, string Body) placed = await server.PostAsync("/v1/models/placed:predict", request), packed = await server.PostAsync("/v1/models/packed:predict", request);
        Assert.Equal(HttpStatusCode.OK, placed.Status);
        Assert.Equal(placed, packed);
    }

    [Fact]
    public Task Bytes_that_are_no_model() => CheckEntriesAsync("model.onnx is refused: ", ("model.onnx", "not a model"u8.ToArray()));

    [Fact]
    public Task A_graph_that_does_not_hold_together() => CheckEntriesAsync("ONNX Runtime refused model.onnx: ",
        ("model.onnx", new Cloister.Onnx.Tests.Runtime.HandmadeModel().Input("x", 1, 1).Node("NoSuchOperator", ["x"], ["y"]).Output("y", 1, 1).ToBytes()));

    [Fact]
    public Task Weights_that_are_missing() => CheckEntriesAsync("model.onnx wants its weights from 'weights.bin', which bad.sealed does not hold; seal the weights beside the model.", ("model.onnx", TestModels.External));

    [Fact]
    public Task An_entry_that_nothing_uses() => CheckEntriesAsync("bad.sealed holds an entry 'extra.bin' that nothing in the model uses; seal it without.", ("model.onnx", TestModels.HalfPlusTwo), ("extra.bin", new byte[4]));

    [Fact]
    public async Task Weights_outside_the_model_are_used()
    {
        byte[] weights = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(new float[] { 1, 2, 3, 4 }).ToArray();
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("external", TestModels.External, more: ("weights.bin", weights)));
        (HttpStatusCode status, string body) = await server.PostAsync("/v1/models/external:predict", """{"instances":[[10,20,30,40]]}""");
        Assert.Equal((HttpStatusCode.OK, "{\n    \"predictions\": [[11.0, 22.0, 33.0, 44.0]\n    ]\n}"), (status, body));
    }

    [Fact]
    public async Task Keys_are_zeroed_whether_the_model_opens_or_not()
    {
        TestStore store = await (await new TestStore().AddAsync("half", TestModels.HalfPlusTwo)).AddAsync("bad", [1, 2, 3]);
        await using TestServer server = await TestServer.StartAsync(store);
        Assert.All(store.Grants, grant => Assert.Throws<ObjectDisposedException>(() => grant.Key.Memory));
        Assert.Equal([("half", ModelState.Ready), ("bad", ModelState.Unavailable)], server.Host.Models.Select(model => (model.Name, model.State)));
    }

    private static Task ChangeAsync(TestStore store, Func<Cloister.Workload.ModelGrant, Cloister.Workload.ModelGrant> change)
    {
        store.Change("half", change);
        return Task.CompletedTask;
    }

    private static async Task FlipAsync(TestStore store, int at)
    {
        byte[] bytes = await File.ReadAllBytesAsync(store.PathOf("half"));
        bytes[at < 0 ? bytes.Length + at : at] ^= 1;
        await File.WriteAllBytesAsync(store.PathOf("half"), bytes);
    }

    private static async Task CheckAsync(Func<TestStore, Task> spoil, string reason)
    {
        TestStore store = await (await new TestStore().AddAsync("half", TestModels.HalfPlusTwo)).AddAsync("good", TestModels.HalfPlusTwo);
        await spoil(store);
        await CheckAsync(store, "half", reason);
    }

    private static async Task CheckEntriesAsync(string reason, params (string, byte[])[] entries)
    {
        TestStore store = await (await new TestStore().AddEntriesAsync("bad", entries)).AddAsync("good", TestModels.HalfPlusTwo);
        await CheckAsync(store, "bad", reason);
    }

    private static async Task CheckAsync(TestStore store, string name, string reason)
    {
        await using TestServer server = await TestServer.StartAsync(store);
        foreach ((HttpStatusCode status, string body) in new[] { await server.GetAsync($"/v2/models/{name}/ready"), await server.PostAsync($"/v2/models/{name}/infer", "{}") })
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
            using JsonDocument document = JsonDocument.Parse(body);
            Assert.StartsWith($"Model '{name}' is unavailable: {reason}", document.RootElement.GetProperty("error").GetString(), StringComparison.Ordinal);
        }
        Assert.Equal((HttpStatusCode.ServiceUnavailable, """{"ready":false}"""), await server.GetAsync("/v2/health/ready"));
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/v2/health/live")).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.PostAsync("/v1/models/good:predict", """{"instances":[1]}""")).Status);
        Assert.DoesNotContain(store.Folder, reason, StringComparison.Ordinal);
    }
}

using System.Collections.Immutable;
using System.Net;
using Cloister.Onnx.Tests.Runtime;
using Cloister.Partitioning.Runner;
using Cloister.Protocol.Manifest;
using Cloister.Sealing;
using Cloister.Serving.Partitioned;
using Cloister.Serving.Tests.Server;
using Cloister.Workload;

namespace Cloister.Serving.Tests.Partitioned;

/// <summary>What is refused when a model in parts is opened, with what a person can do about it.</summary>
public sealed class RefusedPartsTests
{
    private static readonly AcceleratorAddress s_nobody = AcceleratorAddress.Parse("unix:/nonexistent/cloister.sock");

    [Fact]
    public async Task A_manifest_that_does_not_name_the_mode_never_opens_parts()
    {
        TestStore store = await new TestStore().AddPartsAsync("m", TestParts.Small);
        await RefusedAsync(store.Change("m", grant => grant with { Mode = null }), ServingError.ModeRefused, "let it say \"Mode\": \"partitioned\" for 'm'");
    }

    [Theory]
    [InlineData(ModelModes.Enclave, "the manifest's mode for 'm' is 'enclave', and m.sealed is made for 'partitioned'")]
    [InlineData(ModelModes.Encrypted, "the manifest's mode for 'm' is 'encrypted'")]
    [InlineData(ModelModes.Masked, "is not built in this version")]
    [InlineData("careful", "'careful' for 'm' is unknown")]
    public async Task Another_mode_does_not_open_parts(string mode, string reason)
    {
        TestStore store = await new TestStore().AddPartsAsync("m", TestParts.Small);
        await RefusedAsync(store.Change("m", grant => grant with { Mode = mode }), ServingError.ModeRefused, reason);
    }

    [Fact]
    public async Task Mode_partitioned_does_not_open_a_whole_model()
    {
        TestStore store = await new TestStore().AddAsync("m", TestParts.Small.Whole);
        await RefusedAsync(store.Change("m", grant => grant with { Mode = ModelModes.Partitioned }), ServingError.ModeRefused, "is made for 'enclave'");
    }

    [Fact]
    public async Task Mode_enclave_opens_a_whole_model()
    {
        TestStore store = await new TestStore().AddAsync("m", TestParts.Small.Whole);
        await using TestServer server = await TestServer.StartAsync(store.Change("m", grant => grant with { Mode = ModelModes.Enclave }));
        Assert.Equal(ModelState.Ready, Assert.Single(server.Host.Models).State);
    }

    [Fact]
    public async Task Without_an_accelerator_it_is_not_served()
    {
        TestStore store = await new TestStore().AddPartsAsync("m", TestParts.Small);
        await RefusedAsync(store, ServingError.AcceleratorMissing, "name it with --accelerator", accelerators: []);
    }

    [Fact]
    public async Task Another_assessor_is_refused()
    {
        using var other = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);
        await RefusedAsync(await new TestStore().AddPartsAsync("m", TestParts.Small, assessor: other), ServingError.PartitionReportRefused, "it is signed by");
    }

    [Fact]
    public async Task The_manifests_assessor_is_the_one_who_counts()
    {
        using var other = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync();
        TestStore store = await new TestStore().AddPartsAsync("m", TestParts.Small, assessor: other);
        store.Change("m", grant => grant with { Partition = Demands(other.Public, ("pictures", 0.75), ("labels", 0.5)) });
        await using (TestServer server = await TestServer.StartAsync(store, options => options with { Accelerators = [accelerator.Address] }))
            Assert.Equal(ModelState.Ready, Assert.Single(server.Host.Models).State);
        // The maker's own word is none then.
        TestStore makers = await new TestStore().AddPartsAsync("m", TestParts.Small);
        await RefusedAsync(makers.Change("m", grant => grant with { Partition = Demands(other.Public) }), ServingError.PartitionReportRefused, "it is signed by");
    }

    [Fact]
    public async Task Scores_that_are_too_low_or_missing_are_all_named()
    {
        TestStore store = await new TestStore().AddPartsAsync("m", TestParts.Small);
        store.Change("m", grant => grant with { Partition = Demands(store.Maker.Public, ("pictures", 0.76), ("tokens", 0.1), ("labels", 0.9)) });
        string text = await RefusedAsync(store, ServingError.PartitionScoreTooLow, "'pictures' of at least 0.76 is demanded and was measured as 0.75");
        Assert.Contains("'tokens' of at least 0.1 is demanded and was not measured", text, StringComparison.Ordinal);
        Assert.DoesNotContain("'labels'", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("front")]
    [InlineData("back")]
    [InlineData("tail")]
    public async Task A_part_of_another_digest_is_refused(string part)
    {
        string other = new('0', 64);
        TestStore store = await new TestStore().AddPartsAsync("m", TestParts.Small, report: report => part switch
        {
            "front" => report with { Front = other },
            "back" => report with { Back = other },
            _ => report with { Tail = other },
        });
        await RefusedAsync(store, ServingError.PartitionRefused, $"{part}.onnx has the digest");
    }

    [Fact]
    public async Task A_tail_that_was_not_assessed_or_is_missing_is_refused()
    {
        byte[] tail = TestParts.Small.Tail!;
        await RefusedAsync(await new TestStore().AddPartsAsync("m", TestParts.Headless, more: (PartitionEntries.Tail, tail)), ServingError.PartitionRefused, "tail.onnx is there, and the signed report has no such part");
        await RefusedAsync(await new TestStore().AddPartsAsync("m", TestParts.Small with { Tail = null }, report: _ => TestParts.Small.Report), ServingError.PartitionRefused, "with tail.onnx, which is missing");
    }

    [Fact]
    public async Task A_front_that_gives_other_tensors_than_were_assessed_is_refused() =>
        await RefusedAsync(await new TestStore().AddPartsAsync("m", TestParts.Small, report: report => report with { Cut = ["deeper"] }), ServingError.PartitionRefused, "the report is of a cut at deeper");

    [Fact]
    public async Task Parts_that_do_not_fit_each_other_are_refused()
    {
        byte[] front = new HandmadeModel().Input("x", 1, -1, 4).Node("Relu", ["x"], ["g"]).Output("g", 1, -1, 4).ToBytes();
        TestParts parts = TestParts.Small with { Front = front, Cut = ["g"] };
        await RefusedAsync(await new TestStore().AddPartsAsync("m", parts), ServingError.PartitionRefused, "which the front does not give");
    }

    [Fact]
    public async Task Tokens_are_not_served_in_parts()
    {
        byte[] front = new HandmadeModel().Input("input_ids", 7, -1, 4).Node("Cast", ["input_ids"], ["h"], HandmadeModel.Int("to", 1)).Output("h", 1, -1, 4).ToBytes();
        await RefusedAsync(await new TestStore().AddPartsAsync("m", TestParts.Small with { Front = front }), ServingError.PartitionRefused, "what a language model's layers give away is the text itself");
    }

    [Fact]
    public async Task Outputs_whose_size_tells_their_values_are_refused()
    {
        byte[] tail = new HandmadeModel().Input("logits", 1, -1, 7).Node("ArgMax", ["logits"], ["class"], HandmadeModel.Int("axis", 1)).Output("class", 7, -1, 1).ToBytes();
        await RefusedAsync(await new TestStore().AddPartsAsync("m", TestParts.Small with { Tail = tail }), ServingError.PartitionRefused, "whose answers would have another size for another class");
    }

    [Theory]
    [InlineData("a\nb", ServingError.LabelsRefused, "it has 2 lines, and the model 7 classes")]
    [InlineData("1\n2\n3\n4\n5\n6\n\"7\"", ServingError.LabelsRefused, "line 7 has the character U+0022")]
    public async Task Labels_that_do_not_fit_are_refused(string labels, ServingError error, string reason) =>
        await RefusedAsync(await new TestStore().AddPartsAsync("m", TestParts.Small, labels: labels), error, reason);

    [Theory]
    [InlineData("""{"batching":true}""", "a model in parts has no 'batching'")]
    [InlineData("""{"partition":{"topk":1}}""", "a member of 'partition' is unknown")]
    public async Task A_configuration_that_means_nothing_is_refused(string configuration, string reason) =>
        await RefusedAsync(await new TestStore().AddPartsAsync("m", TestParts.Small, configuration), ServingError.ConfigurationRefused, reason);

    [Fact]
    public async Task Only_parts_have_a_partition_in_their_configuration() =>
        await RefusedAsync(await new TestStore().AddAsync("m", TestParts.Small.Whole, """{"partition":{}}"""), ServingError.ConfigurationRefused, "'partition' has no meaning");

    [Theory]
    [InlineData("model.onnx", "which nothing uses")]
    [InlineData("weights.bin", "which nothing uses")]
    public async Task Nothing_else_lies_beside_them(string entry, string reason) =>
        await RefusedAsync(await new TestStore().AddPartsAsync("m", TestParts.Small, more: (entry, [1])), ServingError.EntryRefused, reason);

    [Theory]
    [InlineData("front.onnx")]
    [InlineData("back.onnx")]
    [InlineData("partition.json")]
    public async Task Nothing_may_be_missing(string entry)
    {
        var store = new TestStore();
        await store.AddEntriesAsync("m", [.. store.Entries(TestParts.Small).Where(known => known.Name != entry)]);
        await RefusedAsync(store.Change("m", grant => grant with { Mode = ModelModes.Partitioned }), ServingError.EntryRefused, $"no entry {entry}");
    }

    [Fact]
    public async Task A_part_that_is_no_model_is_refused()
    {
        await RefusedAsync(await new TestStore().AddPartsAsync("m", TestParts.Small with { Front = [1, 2, 3] }), ServingError.ModelRefused, "front.onnx is refused");
        await RefusedAsync(await new TestStore().AddPartsAsync("m", TestParts.Small with { Back = [1, 2, 3] }), ServingError.ModelRefused, "refused back.onnx");
    }

    private static PartitionDemands Demands(MakerPublicKey assessor, params (string Name, double Least)[] scores) =>
        new(assessor.SubjectPublicKeyInfo, scores.ToImmutableSortedDictionary(score => score.Name, score => score.Least));

    private static async Task<string> RefusedAsync(TestStore store, ServingError error, string reason, AcceleratorAddress[]? accelerators = null)
    {
        var log = new LogLines();
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Accelerators = accelerators ?? [s_nobody] }, logging: log.Configure);
        (string name, ModelState state, string? why) = Assert.Single(server.Host.Models);
        Assert.Equal(ModelState.Unavailable, state);
        Assert.Contains(reason, why, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(log.Lines, line => line.Contains($"(serving error {(int)error})", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.PostAsync($"/v2/models/{name}/infer", PartitionedServingTests.Request(TestParts.Rows(1)))).Status);
        return why!;
    }
}

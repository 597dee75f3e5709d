using System.Text;
using System.Text.Json.Nodes;
using Cloister.Protocol.Manifest;

namespace Cloister.Protocol.Tests.Manifest;

/// <summary>How a manifest says how a model's predictions are protected, and what it demands of a model in parts.</summary>
public sealed class ModelModeTests
{
    private const string OtherKey = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";

    private static ManifestOutcome Read(string members, string? marbles = null)
    {
        JsonNode manifest = ManifestSamples.Full();
        foreach ((string name, JsonNode? value) in JsonNode.Parse($"{{{members}}}")!.AsObject())
            manifest["Models"]!["digits"]![name] = value?.DeepClone();
        if (marbles is not null) manifest["Marbles"]!["serving"]!["Models"] = JsonNode.Parse(marbles);
        return ManifestSamples.Read(manifest);
    }

    private static ManifestModel Model(string members) => Read(members).Document.Models["digits"];

    private static void Refused(ManifestProblemCode code, string field, string words, string members)
    {
        ManifestProblem problem = Assert.Single(Read(members).Problems);
        Assert.Equal((code, $"Models.digits.{field}"), (problem.Code, problem.Field));
        Assert.Contains(words, problem.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(ModelModes.Enclave), InlineData(ModelModes.Encrypted)]
    public void AModeIsStated(string mode)
    {
        ManifestOutcome outcome = Read($"\"Mode\":\"{mode}\"");
        Assert.Empty(outcome.Warnings);
        Assert.Equal((mode, null), (outcome.Document.Models["digits"].Mode, outcome.Document.Models["digits"].Partition));
        Assert.Equal([KeyValuePair.Create("digits", mode)], outcome.Document.ModesOf(outcome.Document.Marbles["serving"]));
    }

    [Theory, InlineData("")]
    [InlineData("\"Mode\":null")]
    [InlineData("\"Mode\":null,\"Partition\":null")]
    public void AModeMayBeLeftOpen(string members)
    {
        ManifestDocument manifest = Read(members).Document;
        Assert.Null(manifest.Models["digits"].Mode);
        Assert.Null(manifest.Models["digits"].Partition);
        Assert.Empty(manifest.ModesOf(manifest.Marbles["serving"]));
    }

    [Fact]
    public void APartitionedModelsReportIsDemanded()
    {
        ManifestOutcome outcome = Read($$"""
            "Mode": "partitioned", "Partition": { "Assessor": "{{OtherKey}}", "MinimumScores": { "pictures": 0.5, "labels": 1, "weights": 0, "tokens": 1e-2, "heuristic": 0.25, "membership": 0.75 } }
            """);
        Assert.Empty(outcome.Warnings);
        ManifestPartition demanded = outcome.Document.Models["digits"].Partition!;
        Assert.Equal(OtherKey, Convert.ToBase64String(demanded.AssessorKey.Span));
        Assert.Equal(["heuristic 0.25", "labels 1", "membership 0.75", "pictures 0.5", "tokens 0.01", "weights 0"],
            demanded.MinimumScores.Select(score => FormattableString.Invariant($"{score.Key} {score.Value}")));
    }

    [Theory]
    [InlineData("\"Mode\":\"partitioned\"")]
    [InlineData("\"Mode\":\"partitioned\",\"Partition\":{}")]
    [InlineData("\"Mode\":\"partitioned\",\"Partition\":{\"Assessor\":null,\"MinimumScores\":null}")]
    [InlineData("\"Partition\":{\"MinimumScores\":{}},\"Mode\":\"partitioned\"")]
    public void TheMakerVouchesWhereNobodyIsNamedAndADemandOfNothingIsAWarning(string members)
    {
        ManifestOutcome outcome = Read(members);
        Assert.Equal(ManifestSamples.Key, Convert.ToBase64String(outcome.Document.Models["digits"].Partition!.AssessorKey.Span));
        ManifestProblem warning = Assert.Single(outcome.Warnings);
        Assert.Equal((ManifestProblemCode.ModelPartitionUnbounded, "Models.digits.Partition.MinimumScores"), (warning.Code, warning.Field));
        Assert.Contains("gives the whole input away", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OtherModesAreRefused()
    {
        Refused(ManifestProblemCode.ModelModeWrong, "Mode", "not built yet", "\"Mode\":\"masked\"");
        Refused(ManifestProblemCode.ModelModeWrong, "Mode", "'fast' is none of enclave, partitioned, encrypted", "\"Mode\":\"fast\"");
        Refused(ManifestProblemCode.ModelModeWrong, "Mode", "is none of", "\"Mode\":\"Enclave\"");
        Refused(ManifestProblemCode.ModelModeWrong, "Mode", "is none of", "\"Mode\":\"\"");
        Refused(ManifestProblemCode.WrongType, "Mode", "cannot unmarshal number", "\"Mode\":1");
        Refused(ManifestProblemCode.WrongType, "Mode", "cannot unmarshal array", "\"Mode\":[\"enclave\"]");
    }

    [Theory, InlineData("\"enclave\""), InlineData("\"encrypted\""), InlineData("null")]
    public void DemandsAreOnlyForPartitionedModels(string mode)
    {
        Refused(ManifestProblemCode.ModelPartitionWrong, "Partition", "\"Mode\": \"partitioned\" alone", $"\"Mode\":{mode},\"Partition\":{{\"MinimumScores\":{{\"pictures\":0.5}}}}");
        Refused(ManifestProblemCode.ModelPartitionWrong, "Partition", "leave it out", $"\"Mode\":{mode},\"Partition\":{{}}");
    }

    [Theory, InlineData("1.01"), InlineData("-0.1"), InlineData("2"), InlineData("1e999"), InlineData("-1e999")]
    public void ScoresOutOfRangeAreRefused(string score) =>
        Refused(ManifestProblemCode.ModelPartitionWrong, "Partition.MinimumScores.pictures", "is not from 0", Scores($"\"pictures\":{score}"));

    [Theory, InlineData("\"0.5\""), InlineData("true"), InlineData("null"), InlineData("[0.5]"), InlineData("{}")]
    public void ScoresThatAreNoNumbersAreRefused(string score) =>
        Refused(ManifestProblemCode.WrongType, "Partition.MinimumScores.pictures", "float64", Scores($"\"pictures\":{score}"));

    [Fact]
    public void UnknownScoresAndTheHeuristicAloneAreRefused()
    {
        Refused(ManifestProblemCode.ModelPartitionWrong, "Partition.MinimumScores.picture", "there are pictures, labels, tokens, weights, membership, heuristic", Scores("\"picture\":0.5,\"labels\":0.5"));
        Refused(ManifestProblemCode.ModelPartitionWrong, "Partition.MinimumScores.Pictures", "no score of this name", Scores("\"Pictures\":0.5"));
        Refused(ManifestProblemCode.ModelPartitionWrong, "Partition.MinimumScores", "can be rebuilt", Scores("\"heuristic\":1"));
        // A demand of 0 is none.
        Refused(ManifestProblemCode.ModelPartitionWrong, "Partition.MinimumScores", "can be rebuilt", Scores("\"heuristic\":1,\"pictures\":0"));
        Assert.True(Read(Scores("\"heuristic\":1,\"pictures\":0.1")).IsAccepted);
        Assert.Equal(ManifestProblemCode.RepeatedMember, ManifestSamples.Read(ManifestSamples.Full().ToJsonString()
            .Replace("\"MinimumVersion\":2", Scores("\"pictures\":0.9,\"pictures\":0.1"), StringComparison.Ordinal)).Problems[0].Code);
    }

    [Theory, InlineData("\"\""), InlineData("\"AAAA\""), InlineData("\"no base64\"")]
    public void AnAssessorWithoutAKeyIsNotTheMaker(string key) =>
        Refused(ManifestProblemCode.ModelPartitionWrong, "Partition.Assessor", "leave it out", $"\"Mode\":\"partitioned\",\"Partition\":{{\"Assessor\":{key},\"MinimumScores\":{{\"pictures\":0.5}}}}");

    [Fact]
    public void MembersThatThereAreNotAreRefused()
    {
        Refused(ManifestProblemCode.UnknownMember, "mode", "it is written 'Mode'", "\"mode\":\"enclave\"");
        Refused(ManifestProblemCode.UnknownMember, "Partition.Cut", "unknown member", "\"Mode\":\"partitioned\",\"Partition\":{\"Cut\":\"x\",\"MinimumScores\":{\"pictures\":0.5}}");
        Refused(ManifestProblemCode.WrongType, "Partition", "cannot unmarshal string", "\"Mode\":\"partitioned\",\"Partition\":\"yes\"");
        Refused(ManifestProblemCode.WrongType, "Partition.MinimumScores", "cannot unmarshal number", "\"Mode\":\"partitioned\",\"Partition\":{\"MinimumScores\":0.5}");
    }

    [Fact]
    public void ContentIsTheSameOnlyInTheSameMode()
    {
        ManifestModel open = Model(""), enclave = Model("\"Mode\":\"enclave\""), half = Model(Scores("\"pictures\":0.5"));
        Assert.True(half.IsSameContent(Model($"\"Mode\":\"partitioned\",\"Partition\":{{\"Assessor\":\"{ManifestSamples.Key}\",\"MinimumScores\":{{\"pictures\":5e-1}}}}")));
        Assert.True(open.IsSameContent(Model("\"Mode\":null")));
        Assert.False(open.IsSameContent(enclave));
        Assert.False(enclave.IsSameContent(open));
        Assert.False(enclave.IsSameContent(half));
        Assert.False(half.IsSameContent(Model(Scores("\"pictures\":0.4"))));
        Assert.False(half.IsSameContent(Model(Scores("\"pictures\":0.5,\"labels\":0.5"))));
        Assert.False(half.IsSameContent(Model("\"Mode\":\"partitioned\"")));
        Assert.False(half.IsSameContent(Model($"\"Mode\":\"partitioned\",\"Partition\":{{\"Assessor\":\"{OtherKey}\",\"MinimumScores\":{{\"pictures\":0.5}}}}")));
    }

    [Fact]
    public void MoreModesThanEvidenceHoldsAreRefused()
    {
        JsonNode manifest = ManifestSamples.Full();
        JsonNode model = manifest["Models"]!["digits"]!;
        foreach (string? mode in new[] { null, ModelModes.Enclave })
        {
            model["Mode"] = mode;
            for (int i = 0; i < 400; i++) manifest["Models"]![$"{new string('m', 100)}{i}"] = model.DeepClone();
            manifest["Marbles"]!["serving"]!["Models"] = new JsonArray([.. manifest["Models"]!.AsObject().Select(one => (JsonNode)one.Key)]);
            ManifestOutcome outcome = ManifestSamples.Read(manifest);
            if (mode is null)
                Assert.True(outcome.IsAccepted);
            else
                Assert.Equal((ManifestProblemCode.MarbleModelWrong, "Marbles.serving.Models"), (Assert.Single(outcome.Problems).Code, outcome.Problems[0].Field));
        }
    }

    [Fact]
    public void EveryModeHasItsMeaning()
    {
        Assert.All(ModelModes.All, mode => Assert.NotEmpty(ModelModes.Meaning(mode)));
        Assert.Throws<ArgumentException>(() => ModelModes.Meaning("fast"));
    }

    [Fact]
    public void MarbleRunsDialectHasNoModels() =>
        Assert.Empty(ManifestReader.Read(Encoding.UTF8.GetBytes("""{"Packages":{"p":{"UniqueID":"a"}},"Marbles":{"m":{"Package":"p"}},"Models":{"m":{"Mode":"masked","Partition":3}}}"""), ManifestDialect.MarbleRun).Document.Models);

    [Fact]
    public void MutationsGiveAManifestOrProblems()
    {
        JsonNode manifest = ManifestSamples.Full();
        manifest["Models"]!["digits"]!["Mode"] = ModelModes.Partitioned;
        manifest["Models"]!["digits"]!["Partition"] = JsonNode.Parse($$"""{ "Assessor": "{{OtherKey}}", "MinimumScores": { "pictures": 0.5, "labels": 0.25 } }""");
        Mutations.Drive(data => ManifestReader.Fuzz(data), 2000, [1, .. Encoding.UTF8.GetBytes(manifest["Models"]!.ToJsonString())], [1, .. Encoding.UTF8.GetBytes(manifest.ToJsonString())]);
    }

    private static string Scores(string scores) => $"\"Mode\":\"partitioned\",\"Partition\":{{\"MinimumScores\":{{{scores}}}}}";
}

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cloister.Attestation;
using Cloister.Tests.Dcap;

namespace Cloister.Tests;

/// <summary>docs/formats/policy.schema.json and the reader know the same members: what the one wants, the other wants.</summary>
public sealed partial class PolicySchemaTests
{
    private const string Zero = "0000000000000000000000000000000000000000000000000000000000000000";

    private const string TpmFull = $$$"""
        {"Tpm":{"Key":{"Certificate":{"Subject":{"Any":true},"Project":"p"}},"Bank":"sha256","Pcrs":{"4":"{{{Zero}}}","11":{"OneOf":["{{{Zero}}}"]}},
        "Boot":{"SecureBoot":{"Any":true},"Applications":{"Exactly":"{{{Zero}}}"},"CommandLine":"ro","Ima":{"OneOf":["none","list"]}},
        "Clock":{"ResetCount":3,"RestartCount":{"Any":true},"Milliseconds":{"AtLeast":5},"Safe":true},"FirmwareVersion":{"AtLeast":1},"Sha1":false}}
        """;

    private static readonly JsonDocument SchemaFile = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(TestData.RepositoryRoot, "docs/formats/policy.schema.json")));
    private static readonly JsonSchema Schema = new(SchemaFile.RootElement);

    private static IEnumerable<string> Policies() =>
    [
        .. Example().Matches(File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "docs/formats/policy.md"))).Select(match => match.Groups[1].Value),
        File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "samples/verify-evidence/policy.json")),
        .. new PackagePolicy[] { Sample.Policy, DcapPolicies.Tdx, DcapPolicies.Sgx, new AllOf([Sample.Policy, new AnyOf([DcapPolicies.Tdx, DcapPolicies.Sgx])]) }.Select(policy => Encoding.UTF8.GetString(PolicyWriter.Write(policy))),
        TpmFull,
        Endorsed,
    ];

    private static string Endorsed => Encoding.UTF8.GetString(PolicyWriter.Write(Tpm.TpmEnrolmentTests.Policy()));

    [Fact]
    public void Every_policy_of_documents_and_tests_is_valid()
    {
        string[] policies = [.. Policies()];
        Assert.True(policies.Length >= 8);
        Assert.All(policies, policy => Assert.Equal((true, true), Verdicts(policy)));
    }

    [Fact]
    public void A_member_less_or_more_is_refused_by_both()
    {
        int changed = 0;
        foreach (string policy in Policies())
        {
            var root = JsonNode.Parse(policy)!;
            foreach (string path in Objects(root, "").Distinct())
            {
                if (path.EndsWith(".NvidiaGpu", StringComparison.Ordinal)) continue; // whatever stands there is not looked at
                foreach (string? removed in At(root, path).Select(member => member.Key).Append(null))
                {
                    JsonNode copy = root.DeepClone();
                    JsonObject at = At(copy, path);
                    if (removed is not null && path.EndsWith(".Pcrs", StringComparison.Ordinal) && at.Count > 1) continue; // which are quoted is the policy's choice
                    if (removed is null) at["Unknown"] = true;
                    else at.Remove(removed);
                    Assert.Equal((removed, path, (false, false)), (removed, path, Verdicts(copy.ToJsonString())));
                    changed++;
                }
            }
        }
        Assert.True(changed > 200, $"{changed}");
    }

    [Fact]
    public void What_the_reader_accepts_is_valid()
    {
        int accepted = 0;
        foreach (string policy in Policies())
            foreach (byte[] mutated in Mutations.Of(Encoding.UTF8.GetBytes(policy), 1_000, seed: 51))
            {
                if (!PolicyReader.Read(mutated).IsAccepted) continue;
                accepted++;
                using JsonDocument document = JsonDocument.Parse(mutated);
                Assert.True(Schema.Accepts(document.RootElement), Encoding.UTF8.GetString(mutated));
            }
        Assert.True(accepted > 100, $"{accepted}");
    }

    [Theory]
    [InlineData("\"Vmpl\": 0", "\"Vmpl\": -1")]
    [InlineData("\"Vmpl\": 0", "\"Vmpl\": 4294967296")]
    [InlineData("\"Vmpl\": 0", "\"Vmpl\": 0.5")]
    [InlineData("\"Vmpl\": 0", "\"Vmpl\": \"0\"")]
    [InlineData("\"Debug\": false", "\"Debug\": 0")]
    [InlineData("\"Product\": \"Genoa\"", "\"Product\": \"Rome\"")]
    [InlineData("\"Product\": \"Genoa\"", "\"Product\": {\"AtLeast\": \"Genoa\"}")]
    [InlineData("\"Measurement\": \"5f", "\"Measurement\": \"5F")]
    [InlineData("\"Measurement\": \"5f", "\"Measurement\": \"")]
    [InlineData("\"Bootloader\": 10", "\"Bootloader\": 256")]
    [InlineData("\"Firmware\": { \"Any\": true }", "\"Firmware\": \"1.55\"")]
    [InlineData("\"Firmware\": { \"Any\": true }", "\"Firmware\": { \"Any\": false }")]
    [InlineData("\"Firmware\": { \"Any\": true }", "\"Firmware\": { \"OneOf\": [] }")]
    public void A_value_out_of_form_is_refused_by_both(string old, string with)
    {
        string policy = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "samples/verify-evidence/policy.json"));
        Assert.Contains(old, policy, StringComparison.Ordinal);
        Assert.Equal((false, false), Verdicts(policy.Replace(old, with, StringComparison.Ordinal)));
    }

    private static (bool Schema, bool Reader) Verdicts(string policy)
    {
        using JsonDocument document = JsonDocument.Parse(policy);
        return (Schema.Accepts(document.RootElement), PolicyReader.Read(document.RootElement).IsAccepted);
    }

    private static IEnumerable<string> Objects(JsonNode node, string path) => node switch
    {
        JsonObject members => members.Where(member => member.Value is not null).SelectMany(member => Objects(member.Value!, $"{path}.{member.Key}")).Prepend(path),
        JsonArray items => items.SelectMany((item, i) => item is null ? [] : Objects(item, $"{path}.{i}")),
        _ => [],
    };

    private static JsonObject At(JsonNode node, string path) => path.Split('.', StringSplitOptions.RemoveEmptyEntries)
        .Aggregate(node, (at, name) => at is JsonArray items ? items[int.Parse(name, null)]! : at[name]!).AsObject();

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();
}

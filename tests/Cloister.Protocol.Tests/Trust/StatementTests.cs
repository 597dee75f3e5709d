using System.Collections.Immutable;
using System.Text;
using Cloister.Protocol.Trust;

namespace Cloister.Protocol.Tests.Trust;

public sealed class StatementTests
{
    private static readonly string s_digest = new('a', 64);

    [Fact]
    public void TheWrittenFormsAreFrozen()
    {
        Assert.Equal(
            $$"""{"role":"coordinator","manifestFingerprint":"","root":"{{s_digest}}","intermediate":"{{s_digest}}","marbleRoot":"{{s_digest}}"}""",
            Encoding.UTF8.GetString(new CoordinatorStatement("", s_digest, s_digest, s_digest).ToBytes()));
        Assert.Equal(
            $$"""{"role":"workload","type":"serving","uuid":"{{TestDeployment.Uuid}}","manifestFingerprint":"{{s_digest}}"}""",
            Encoding.UTF8.GetString(new WorkloadStatement("serving", TestDeployment.Uuid, s_digest).ToBytes()));
        Assert.Equal(
            $$$"""{"role":"workload","type":"serving","uuid":"{{{TestDeployment.Uuid}}}","manifestFingerprint":"{{{s_digest}}}","modes":{"A":"encrypted","cut":"partitioned","whole":"enclave"}}""",
            Encoding.UTF8.GetString(With("whole", "enclave", "cut", "partitioned", "A", "encrypted").ToBytes()));
    }

    private static WorkloadStatement With(params string[] modes) => new("serving", TestDeployment.Uuid, s_digest) { Modes = Modes(modes) };

    private static ImmutableSortedDictionary<string, string> Modes(params string[] modes) =>
        modes.Chunk(2).ToImmutableSortedDictionary(one => one[0], one => one[1], StringComparer.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST","more":1}""")]
    [InlineData("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST","type":"u"}""")]
    [InlineData("""{"role":"workload","type":null,"uuid":"UUID","manifestFingerprint":"DIGEST"}""")]
    [InlineData("""{"role":"coordinator","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST"}""")]
    [InlineData("""{"type":"t","uuid":"UUID","manifestFingerprint":"DIGEST"}""")]
    [InlineData("""{"role":"workload","type":"","uuid":"UUID","manifestFingerprint":"DIGEST"}""")]
    [InlineData("""{"role":"workload","type":"t","uuid":"{UUID}","manifestFingerprint":"DIGEST"}""")]
    [InlineData("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":""}""")]
    [InlineData("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST"} """ + "x")]
    [InlineData("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST","modes":{"m":"fast"}}""")]
    [InlineData("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST","modes":{"m":"Enclave"}}""")]
    [InlineData("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST","modes":{"m":null}}""")]
    [InlineData("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST","modes":{"m":["enclave"]}}""")]
    [InlineData("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST","modes":{"":"enclave"}}""")]
    [InlineData("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST","modes":{"m":"enclave","m":"partitioned"}}""")]
    [InlineData("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST","modes":["m"]}""")]
    [InlineData("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST","modes":{"m":"enclave"},"modes":{"m":"enclave"}}""")]
    [InlineData("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST","Modes":{"m":"enclave"}}""")]
    [InlineData("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST","StatedModes":{"m":"enclave"}}""")]
    public void AnotherDocumentIsNoWorkloadStatement(string json) =>
        Assert.Throws<ProtocolException>(() => WorkloadStatement.Read(Encoding.UTF8.GetBytes(Fill(json))));

    [Fact]
    public void AStatementIsRead()
    {
        WorkloadStatement read = WorkloadStatement.Read(Encoding.UTF8.GetBytes(Fill("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST"}""")));
        Assert.Equal(("t", TestDeployment.Uuid, s_digest), (read.Type, read.Uuid, read.ManifestFingerprint));
        Assert.Empty(read.Modes);
    }

    [Fact]
    public void ModesAreReadInAnyOrderAndCompareByContent()
    {
        WorkloadStatement read = WorkloadStatement.Read(Encoding.UTF8.GetBytes(Fill(
            """{"modes":{"whole":"enclave","\u0063ut":"partitioned"},"role":"workload","type":"serving","uuid":"UUID","manifestFingerprint":"DIGEST"}""")));
        Assert.Equal(With("cut", "partitioned", "whole", "enclave"), read);
        Assert.Equal(With("cut", "partitioned", "whole", "enclave").GetHashCode(), read.GetHashCode());
        Assert.NotEqual(With("cut", "partitioned"), read);
        Assert.NotEqual(With("cut", "enclave", "whole", "enclave"), read);
        Assert.NotEqual(With(), read);
    }

    [Fact]
    public void AStatementOverItsBoundIsRefused()
    {
        string[] names = [.. Enumerable.Range(0, 2000).SelectMany(i => new[] { $"model-{i:D4}", "enclave" })];
        Assert.Throws<ProtocolException>(() => WorkloadStatement.Read(With(names).ToBytes()));
        Assert.Equal(1000, WorkloadStatement.Read(With(names[..2000]).ToBytes()).Modes.Count);
    }

    [Fact]
    public void MutationsGiveAStatementOrARefusal()
    {
        byte[] coordinator = new CoordinatorStatement(s_digest, s_digest, s_digest, s_digest).ToBytes();
        byte[] workload = new WorkloadStatement("serving", TestDeployment.Uuid, s_digest).ToBytes();
        Mutations.Drive(data => CoordinatorStatement.Fuzz(data), 3000, coordinator, workload);
        Mutations.Drive(data => WorkloadStatement.Fuzz(data), 3000, coordinator, workload, With("cut", "partitioned", "whole", "enclave").ToBytes());
    }

    private static string Fill(string json) => json.Replace("UUID", TestDeployment.Uuid, StringComparison.Ordinal).Replace("DIGEST", s_digest, StringComparison.Ordinal);
}

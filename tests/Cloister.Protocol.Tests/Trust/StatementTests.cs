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
    }

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
    public void AnotherDocumentIsNoWorkloadStatement(string json) =>
        Assert.Throws<ProtocolException>(() => WorkloadStatement.Read(Encoding.UTF8.GetBytes(Fill(json))));

    [Fact]
    public void AStatementIsRead()
    {
        WorkloadStatement read = WorkloadStatement.Read(Encoding.UTF8.GetBytes(Fill("""{"role":"workload","type":"t","uuid":"UUID","manifestFingerprint":"DIGEST"}""")));
        Assert.Equal(("t", TestDeployment.Uuid, s_digest), (read.Type, read.Uuid, read.ManifestFingerprint));
    }

    [Fact]
    public void MutationsGiveAStatementOrARefusal()
    {
        byte[] coordinator = new CoordinatorStatement(s_digest, s_digest, s_digest, s_digest).ToBytes();
        byte[] workload = new WorkloadStatement("serving", TestDeployment.Uuid, s_digest).ToBytes();
        Mutations.Drive(data => CoordinatorStatement.Fuzz(data), 3000, coordinator, workload);
        Mutations.Drive(data => WorkloadStatement.Fuzz(data), 3000, coordinator, workload);
    }

    private static string Fill(string json) => json.Replace("UUID", TestDeployment.Uuid, StringComparison.Ordinal).Replace("DIGEST", s_digest, StringComparison.Ordinal);
}

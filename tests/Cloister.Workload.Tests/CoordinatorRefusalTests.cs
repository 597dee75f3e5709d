using System.Collections.Immutable;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;

namespace Cloister.Workload.Tests;

public sealed class CoordinatorRefusalTests
{
    [Theory]
    [InlineData(GrpcStatus.Unavailable)]
    [InlineData(GrpcStatus.DeadlineExceeded)]
    [InlineData(GrpcStatus.ResourceExhausted)]
    [InlineData(GrpcStatus.FailedPrecondition)]
    [InlineData(GrpcStatus.Aborted)]
    [InlineData(GrpcStatus.Cancelled)]
    public void WhatMayPassIsWaitedFor(GrpcStatus status)
    {
        CoordinatorRefusal refusal = CoordinatorRefusal.Read(new GrpcException(status, "why"));
        Assert.Contains("why", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(refusal.AwaitedSecrets);
    }

    [Theory]
    [InlineData(GrpcStatus.PermissionDenied)]
    [InlineData(GrpcStatus.InvalidArgument)]
    [InlineData(GrpcStatus.Internal)]
    [InlineData(GrpcStatus.Unimplemented)]
    [InlineData(GrpcStatus.Unauthenticated)]
    [InlineData(GrpcStatus.Unknown)]
    public void WhatIsFinalIsThrownWithTheCoordinatorsReason(GrpcStatus status)
    {
        var e = Assert.Throws<WorkloadException>(() => CoordinatorRefusal.Read(new GrpcException(status, "unknown marble type 'x'")));
        Assert.Equal(WorkloadError.ActivationRefused, e.Error);
        Assert.Contains("unknown marble type 'x'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AwaitedSecretsAreNamed()
    {
        CoordinatorRefusal refusal = CoordinatorRefusal.Read(Awaiting("model-key"));
        Assert.Equal(["model-key"], refusal.AwaitedSecrets);
        Assert.Equal("Waits for the model owner's key 'model-key'.", refusal.Message);
        Assert.Equal("Waits for the model owner's keys 'a', 'b'.", CoordinatorRefusal.Read(Awaiting("a,b")).Message);
    }

    [Fact]
    public void APeersTextIsOneBoundedLine()
    {
        CoordinatorRefusal refusal = CoordinatorRefusal.Read(new GrpcException(GrpcStatus.Unavailable, "a\u001b[2J\nb" + new string('x', 10_000)));
        Assert.DoesNotContain(refusal.Message, char.IsControl);
        Assert.InRange(refusal.Message.Length, 1, 600);
        Assert.Equal(64, CoordinatorRefusal.Read(Awaiting(string.Join(',', Enumerable.Range(0, 200)))).AwaitedSecrets.Count);
    }

    [Fact]
    public void WaitingTimesDoubleUpToTheirLimitWithJitter()
    {
        var backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
        foreach (int step in new[] { 1, 2, 4, 5, 5 })
            Assert.InRange(backoff.Next().TotalSeconds, 0.75 * step, step);
    }

    private static GrpcException Awaiting(string names) =>
        new(GrpcStatus.Internal, "secrets are not set", ImmutableDictionary<string, string>.Empty.Add(MarbleService.AwaitingSecretTrailer, names));
}

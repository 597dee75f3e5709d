using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Simulation;

namespace Cloister.Tests;

/// <summary>Fixed keys and evidence that the tests change one thing of.</summary>
internal static class Sample
{
    public const string HostKeyPkcs8 = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgb7iJLxb9ii1QkoerLVEdi4ucancWAfYkOe02xrOmERqhRANCAAScPjkE56hvDH8otY8VWxFl+336ssch3bS58ReFV03hTJjtrgscj/q1gCIqJqfHg4UlXC6LbYANfYRZhg0jIENK";
    public const string OtherKeyPkcs8 = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg2PynpCLcU4S+pyo7TNUydmqb3mZKFuYEZo5TyyjfJr2hRANCAAR01jooUhBlEW8vwr8XfZtrffMDCWDznSj0vAF1yBF8w27tEqg1ef1NwUJ0jC6inXHOKUC4s3PXyUWG9UIG/zSa";

    public static ECDsa HostKey { get; } = Import(HostKeyPkcs8);
    public static ECDsa OtherKey { get; } = Import(OtherKeyPkcs8);
    public static byte[] Nonce { get; } = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    public static byte[] PeerKey { get; } = Import(OtherKeyPkcs8).ExportSubjectPublicKeyInfo();
    public static byte[] Measurement { get; } = SHA256.HashData("the program"u8);
    public static byte[] RuntimeData { get; } = "{\"role\":\"workload\"}"u8.ToArray();
    public static Binding Binding { get; } = new(AttesterRole.Workload, Nonce, PeerKey);
    public static VerificationTime Time { get; } = VerificationTime.At(new DateTimeOffset(2026, 11, 21, 0, 0, 0, TimeSpan.Zero));
    public static VerifierRegistry Registry { get; } = VerifierRegistry.CreateDefault();
    public static string Digest { get; } = Convert.ToHexStringLower(Measurement);

    public static SimulationPolicy Policy { get; } = new(Requirement.Exactly(Digest), [HostKey.ExportSubjectPublicKeyInfo()]);

    /// <summary>A policy for another program by the same host.</summary>
    public static SimulationPolicy OtherPolicy { get; } = Policy with { Digest = Requirement.Exactly(new string('0', 64)) };

    public static Evidence Evidence(byte[] reportData, byte[]? measurement = null, ECDsa? hostKey = null, byte[]? runtimeData = null) => new(
        TeeKind.Simulation,
        SimulationReport.Encode(hostKey ?? HostKey, measurement ?? Measurement, reportData, "/app/cloister"),
        default,
        runtimeData ?? RuntimeData,
        []);

    public static EvidenceSet Set(Binding? binding = null, ECDsa? hostKey = null, byte[]? measurement = null)
    {
        binding ??= Binding;
        return new EvidenceSet(Evidence(binding.ReportData(RuntimeData, []), measurement, hostKey), [], binding);
    }

    /// <summary>Primary evidence of <see cref="Measurement"/> beside another of <paramref name="other"/>.</summary>
    public static EvidenceSet Pair(byte[] other)
    {
        Evidence beside = Evidence(Binding.OtherReportData(0, "beside"u8), other, runtimeData: "beside"u8.ToArray());
        return new EvidenceSet(Evidence(Binding.ReportData(RuntimeData, [beside])), [beside], Binding);
    }

    public static AttestationResult Appraise(EvidenceSet set, PackagePolicy? policy = null, Binding? expected = null) =>
        Registry.Appraise(set, expected ?? Binding, policy ?? Policy, Time);

    public static Refusal RefusalOf(AttestationResult result)
    {
        Assert.False(result.TryAccept(out Claims? claims, out Check? refused));
        Assert.Null(claims);
        Assert.NotEmpty(refused.Reason);
        return refused.Refusal;
    }

    public static IEnumerable<(string Path, Check Check)> Flat(ImmutableArray<Check> checks) => checks.SelectMany(check =>
        check.Branches.SelectMany(branch => Flat(branch.Checks)).Prepend((check.Field, check)));

    private static ECDsa Import(string pkcs8)
    {
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(Convert.FromBase64String(pkcs8), out _);
        return key;
    }
}

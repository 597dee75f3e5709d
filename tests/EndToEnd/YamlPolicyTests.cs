using Cloister.Tests;

namespace Cloister.EndToEnd;

/// <summary>A policy in YAML is the policy in JSON that it stands for, and what YAML can hide is refused.</summary>
public sealed class YamlPolicyTests
{
    private const string Policy = """
        # a Genoa guest
        SevSnp:
          Debug: false
          MigrationAgent: false
          Smt: true
          GuestPolicy: { Any: true }
          Abi: { AtLeast: 0.0 }
          Vmpl: 0
          Measurement: 5feee30d6d7e1a29f403d70a4198237ddfb13051a2d6976439487c609388ed7f98189887920ab2fa0096903a0c23fca1
          HostData: { Any: true }
          ReportedTcb: { AtLeast: { Fmc: 0, Bootloader: 10, Tee: 0, Snp: 23, Microcode: 84 } }
          CommittedTcb: { Any: true }
          LaunchTcb: { Any: true }
          ProvisionalFirmware: false
          Firmware: { Any: true }
          GuestSvn: { Any: true }
          Mitigations: { Any: true }
          IdKeyDigest: { Any: true }
          AuthorKey: false
          AuthorKeyDigest: { Any: true }
          Product:
            OneOf:
              - Genoa
              - Turin
          SigningKey: VCEK
          Provider: { Any: true }
          ChipId: { Any: true }
          RevocationCheck: false
          FamilyId: 01000000000000000000000000000000
          ImageId: { Any: true }
          PlatformInfo: { Required: 0x0000000000000000, Allowed: 0xffffffffffffffff }
        """;

    [SharedDataFact]
    public async Task A_policy_in_yaml_judges_as_its_json_does()
    {
        (int code, string said) = await VerifyAsync(Policy);
        Assert.True(code == 0, said);
        (code, said) = await VerifyAsync(Policy.Replace("5feee", "6feee", StringComparison.Ordinal));
        Assert.True(code == 3 && said.Contains("measurement", StringComparison.Ordinal), said);
    }

    [SharedDataTheory]
    [InlineData("Debug: false", "Debug: no", "Debug")]
    [InlineData("Debug: false", "Debug: false\n  Debug: false", "Debug")]
    [InlineData("Debug: false", "Debug: &a false", "anchor")]
    [InlineData("Debug: false", "Debug: *a", "alias")]
    [InlineData("Debug: false", "Debug: !!bool false", "tag")]
    [InlineData("Debug: false", "Debug: false\n  <<: {}", "<<")]
    [InlineData("Debug: false", "Debug: [", "YAML")]
    [InlineData("# a Genoa guest", "---\n{}\n---", "second document")]
    public async Task What_yaml_can_hide_is_refused(string old, string with, string reason)
    {
        (int code, string said) = await VerifyAsync(Policy.Replace(old, with, StringComparison.Ordinal));
        Assert.True(code == 4 && said.Contains(reason, StringComparison.Ordinal), $"{code}: {said}");
    }

    private static async Task<(int Code, string Said)> VerifyAsync(string policy)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["policy.yaml"], policy);
        Ended ended = await CloisterCommand.RunAsync("attest", "verify", "--report", TestData.Path("attestation/snp/real/snp-real-genoa-v3.bin"), "--vek", TestData.Path("attestation/snp/real/snp-real-genoa-v3.vek.der"),
            "--at", "2026-06-01T00:00:00Z", "--policy", folder["policy.yaml"]);
        return (ended.Code, ended.Output + ended.Error);
    }
}

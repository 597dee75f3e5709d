using Cloister.Attestation;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Attest;

/// <summary>An appraisal policy in a file (docs/formats/policy.md).</summary>
internal static class PolicyFile
{
    public static async Task<PackagePolicy> ReadAsync(string path, CancellationToken cancellation)
    {
        Outcome<PackagePolicy> policy = PolicyReader.Read(await LocalFile.ReadAsync(path, cancellation));
        return policy.IsAccepted ? policy.Value : throw new CommandException(ExitCode.BadInput, $"'{path}' is no policy: {policy.Field}: {policy.Reason} ({(int)policy.Refusal} {policy.Refusal})");
    }
}

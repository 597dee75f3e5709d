using Cloister.Attestation;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Attest;

/// <summary>An appraisal policy in a file (docs/formats/policy.md): JSON, or YAML where the name ends so.</summary>
internal static class PolicyFile
{
    public static async Task<PackagePolicy> ReadAsync(string path, CancellationToken cancellation)
    {
        Outcome<PackagePolicy> policy = PolicyReader.Read(ToJson(path, await LocalFile.ReadAsync(path, cancellation)));
        return policy.IsAccepted ? policy.Value : throw new CommandException(ExitCode.BadInput, $"'{path}' is no policy: {policy.Field}: {policy.Reason} ({(int)policy.Refusal} {policy.Refusal})");
    }

    private static byte[] ToJson(string path, byte[] bytes)
    {
        if (!YamlDocument.IsNamed(path)) return bytes;
        try
        {
            return YamlDocument.ToJson(bytes);
        }
        catch (FormatException malformed)
        {
            throw new CommandException(ExitCode.BadInput, $"'{path}' is no policy: {malformed.Message}", malformed);
        }
    }
}

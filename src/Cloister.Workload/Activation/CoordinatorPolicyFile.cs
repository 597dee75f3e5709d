using Cloister.Attestation;
using Cloister.Protocol.Trust;

namespace Cloister.Workload;

/// <summary>Reads the policy for the coordinator from the program's measured folder.</summary>
internal static class CoordinatorPolicyFile
{
    /// <exception cref="WorkloadException"><see cref="WorkloadError.CoordinatorPolicy"/>.</exception>
    public static CoordinatorPolicy Read(string path)
    {
        byte[] bytes = new byte[CoordinatorPolicy.MaxBytes + 1];
        int length;
        try
        {
            using FileStream file = File.OpenRead(path);
            length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new WorkloadException(WorkloadError.CoordinatorPolicy,
                $"The coordinator policy '{path}' cannot be read: {e.Message} It names the coordinator this workload trusts and belongs beside the program, in the folder that is measured.", e);
        }
        Outcome<CoordinatorPolicy> policy = CoordinatorPolicy.Read(bytes.AsSpan(0, length));
        return policy.IsAccepted ? policy.Value : throw new WorkloadException(WorkloadError.CoordinatorPolicy,
            $"The coordinator policy '{path}' is refused ({(int)policy.Refusal} {policy.Refusal}): {policy.Field}: {policy.Reason}.");
    }
}

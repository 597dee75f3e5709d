using System.Buffers;
using System.Security.Cryptography;
using Cloister.Homomorphic.Wire;
using Cloister.Sealing;
using Cloister.Workload;

namespace Cloister.Serving.Encrypted;

/// <summary>The master of envelope keys as a manifest gives it: 64 hexadecimal digits in a variable of the workload's parameters.</summary>
internal static class EnvelopeMaster
{
    /// <summary>The variable's name.</summary>
    public const string Variable = "CLOISTER_ENVELOPE_MASTER";

    /// <summary>The master; null where the manifest gives none. The receiver disposes it.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.EnvelopeMasterRefused"/>.</exception>
    public static SecretBytes? Of(WorkloadParameters parameters)
    {
        if (!parameters.Environment.TryGetValue(Variable, out SecretBytes? given)) return null;
        Span<byte> master = stackalloc byte[EnvelopeKey.Size];
        try
        {
            return given.Length == 2 * EnvelopeKey.Size && Convert.FromHexString(given.Span, master, out _, out _) == OperationStatus.Done
                ? SecretBytes.Copy(master)
                : throw new ServingException(ServingError.EnvelopeMasterRefused,
                    $"The manifest's {Variable} is not {2 * EnvelopeKey.Size} hexadecimal digits: write \"{{{{ hex .Secrets.NAME }}}}\", NAME being a symmetric-key of {8 * EnvelopeKey.Size} bits.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(master);
        }
    }
}

using System.Security.Cryptography;
using System.Text;

namespace Cloister.Coordinator.Secrets;

/// <summary>Keys that differ from workload to workload, derived from the root secret as MarbleRun does: HKDF-SHA256, salt = UUID ‖ name, info = type.</summary>
internal static class SecretDerivation
{
    /// <summary>HKDF's limit of 255 blocks, in bits.</summary>
    public const ulong MaxBits = 255 * 32 * 8;

    /// <param name="rootSecret">The coordinator's root secret.</param>
    /// <param name="uuid">The workload's UUID.</param>
    /// <param name="name">The secret's name.</param>
    /// <param name="marbleType">The workload's type, or empty where the manifest disables the binding.</param>
    /// <param name="bits">A multiple of 8.</param>
    public static byte[] PerMarble(ReadOnlySpan<byte> rootSecret, Guid uuid, string name, string marbleType, ulong bits)
    {
        byte[] key = GC.AllocateArray<byte>(checked((int)(bits / 8)), pinned: true);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, rootSecret, key, Encoding.UTF8.GetBytes(uuid.ToString("D") + name), Encoding.UTF8.GetBytes(marbleType));
        return key;
    }
}

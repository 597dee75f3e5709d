using Cloister.Sealing;

namespace Cloister.Workload;

/// <summary>A sealed model this workload may open: what it must be, who made it, and the key.</summary>
/// <param name="Name">The model's name in the manifest.</param>
/// <param name="Digest">The sealed file's model digest, lower-case hex SHA-256.</param>
/// <param name="MakerKey">The maker's public key, DER SubjectPublicKeyInfo.</param>
/// <param name="MinimumVersion">The lowest content version that may be opened.</param>
/// <param name="Key">The file's key; owned by the <see cref="Activation"/> and zeroed with it.</param>
public sealed record ModelGrant(string Name, string Digest, ReadOnlyMemory<byte> MakerKey, long MinimumVersion, SecretBytes Key);

/// <summary>Files, environment and arguments that the manifest gives a workload. Values may hold secrets; they are owned by the <see cref="Activation"/>.</summary>
/// <param name="Files">Path to content.</param>
/// <param name="Environment">Name to value, UTF-8.</param>
/// <param name="Arguments">The argument vector; its first element is the program's name. Empty: the command line's own.</param>
public sealed record WorkloadParameters(
    IReadOnlyDictionary<string, SecretBytes> Files,
    IReadOnlyDictionary<string, SecretBytes> Environment,
    IReadOnlyList<string> Arguments);

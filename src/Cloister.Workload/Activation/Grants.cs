using Cloister.Sealing;

namespace Cloister.Workload;

/// <summary>A sealed model this workload may open: what it must be, who made it, and the key.</summary>
/// <param name="Name">The model's name in the manifest.</param>
/// <param name="Digest">The sealed file's model digest, lower-case hex SHA-256.</param>
/// <param name="MakerKey">The maker's public key, DER SubjectPublicKeyInfo.</param>
/// <param name="MinimumVersion">The lowest content version that may be opened.</param>
/// <param name="Key">The file's key; owned by the <see cref="Activation"/> and zeroed with it.</param>
public sealed record ModelGrant(string Name, string Digest, ReadOnlyMemory<byte> MakerKey, long MinimumVersion, SecretBytes Key);

/// <summary>Somebody who may use models: recognised by a client certificate or by the SHA-256 of a bearer token.</summary>
/// <param name="Name">The caller's name in the manifest.</param>
/// <param name="Certificate">The client certificate, DER; empty if the caller uses a token.</param>
/// <param name="TokenSha256">SHA-256 of the bearer token, 32 bytes; empty if the caller uses a certificate.</param>
/// <param name="Models">The models the caller may use.</param>
public sealed record CallerGrant(string Name, ReadOnlyMemory<byte> Certificate, ReadOnlyMemory<byte> TokenSha256, IReadOnlyList<string> Models);

/// <summary>Files, environment and arguments that the manifest gives a workload. Values may hold secrets; they are owned by the <see cref="Activation"/>.</summary>
/// <param name="Files">Path to content.</param>
/// <param name="Environment">Name to value, UTF-8.</param>
/// <param name="Arguments">The argument vector; its first element is the program's name. Empty: the command line's own.</param>
public sealed record WorkloadParameters(
    IReadOnlyDictionary<string, SecretBytes> Files,
    IReadOnlyDictionary<string, SecretBytes> Environment,
    IReadOnlyList<string> Arguments);

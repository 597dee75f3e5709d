using System.CommandLine;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Wire;
using Cloister.Sealing;
using ClientKeyFile = Cloister.Homomorphic.Wire.KeyFile;

namespace Cloister.Cli.CommandLine;

/// <summary>Files that a client of an encrypted model keeps: the model's specification, and its key.</summary>
internal static class EncryptedModelFiles
{
    public static Option<string> Specification() => new("--spec") { Description = "The model's client specification, JSON: from cloister he compile, or kept by he keygen.", Required = true };

    public static Option<string> Key() => new("--client-key") { Description = "The client's key file, from cloister he keygen.", Required = true };

    public static async Task<ClientSpecification> ReadSpecificationAsync(string path, CancellationToken cancellation) =>
        ClientSpecificationJson.Read(await LocalFile.ReadAsync(path, cancellation, ClientSpecificationJson.MaximumBytes));

    public static async Task<ClientKey> ReadKeyAsync(string path, Passphrase passphrase, ParseResult parsed, CancellationToken cancellation)
    {
        byte[] file = await LocalFile.ReadAsync(path, cancellation, ClientKeyFile.MaximumBytes);
        _ = ClientKeyFile.Describe(file); // before a passphrase is asked for
        using SecretBytes words = await passphrase.ReadAsync(parsed, isNew: false, cancellation);
        return ClientKeyFile.Read(file, words.Span);
    }
}

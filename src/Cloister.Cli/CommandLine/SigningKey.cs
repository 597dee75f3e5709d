using System.Security.Cryptography;

namespace Cloister.Cli.CommandLine;

/// <summary>An ECDSA private key in a PEM file, as `user keygen` writes it.</summary>
internal static class SigningKey
{
    public static async Task<ECDsa> ReadAsync(string path, CancellationToken cancellation)
    {
        string pem = await LocalFile.ReadTextAsync(path, cancellation);
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return key;
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException or PlatformNotSupportedException)
        {
            key.Dispose();
            throw new CommandException(ExitCode.BadInput, $"'{path}' is no ECDSA private key in PEM: {exception.Message}", exception);
        }
    }
}

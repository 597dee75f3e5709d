using System.Buffers.Text;
using System.Security.Cryptography;
using Cloister.Sealing;

namespace Cloister.Cli.CommandLine;

/// <summary>A model's key in a file: 32 bytes as one line of base64.</summary>
internal static class KeyFile
{
    public static async Task WriteNewAsync(string path, CancellationToken cancellation)
    {
        using SecretBytes key = SecretBytes.Random(SealedFile.KeySize);
        byte[] text = new byte[Base64.GetMaxEncodedToUtf8Length(SealedFile.KeySize) + 1];
        try
        {
            Base64.EncodeToUtf8(key.Span, text, out _, out int written);
            text[written] = (byte)'\n';
            await LocalFile.WriteSecretAsync(path, text.AsMemory(0, written + 1), cancellation);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    public static async Task<SecretBytes> ReadAsync(string path, CancellationToken cancellation)
    {
        byte[] text = await LocalFile.ReadAsync(path, cancellation, limit: 1024);
        byte[] key = new byte[text.Length];
        try
        {
            if (Base64.DecodeFromUtf8(text.AsSpan().Trim("\r\n "u8), key, out _, out int length) != System.Buffers.OperationStatus.Done || length != SealedFile.KeySize)
                throw new CommandException(ExitCode.BadInput, $"'{path}' holds no model key: expected {SealedFile.KeySize} bytes in base64. Make one with: cloister model keygen");
            return SecretBytes.Copy(key.AsSpan(0, length));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
            CryptographicOperations.ZeroMemory(key);
        }
    }
}

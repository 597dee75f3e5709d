using System.CommandLine;
using System.Security.Cryptography;
using Cloister.Client.Pkcs11;

namespace Cloister.Cli.CommandLine;

/// <summary>Options that name a recovery key, an RSA private key in a file or a token, and what is done with it.</summary>
internal sealed class RecoveryKey
{
    // A whole data key, an n-of-n share, a k-of-n share: none of them is as long as any RSA ciphertext.
    private static readonly int[] PlainLengths = [16, 32, 33];

    private readonly Option<string?> _key = new("--key", "-k") { Description = "The recovery private key (RSA, PEM) that decrypts the share and signs it." };
    private readonly TokenKey _token = new("the recovery key");

    public Verb AddTo(Verb verb)
    {
        verb.Add(_key);
        _token.AddTo(verb);
        return verb;
    }

    /// <summary>Opens the key; null where none was named.</summary>
    public async Task<OpenedRecoveryKey?> OpenAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (_token.IsGiven(parsed))
        {
            if (parsed.GetValue(_key) is not null)
                throw new CommandException(ExitCode.Usage, "The recovery key is in a file (--key) or in a token (--pkcs11-config), not in both.");
            Pkcs11Name name = _token.Name(parsed);
            using Pkcs11Configuration configuration = await _token.ReadAsync(parsed, cancellation);
            Pkcs11Token token = Pkcs11Token.Open(configuration);
            try
            {
                return new OpenedRecoveryKey(token.FindRsa(name), token);
            }
            catch (Pkcs11Exception)
            {
                token.Dispose();
                throw;
            }
        }
        if (parsed.GetValue(_key) is not { } path)
            return null;
        string pem = await LocalFile.ReadTextAsync(path, cancellation);
        var rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(pem);
            _ = rsa.ExportParameters(true);
            return new OpenedRecoveryKey(rsa, null);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            rsa.Dispose();
            throw new CommandException(ExitCode.BadInput, $"'{path}' is no RSA private key in PEM without a password.", exception);
        }
    }

    /// <summary>The plain share: the file's bytes as they are, or decrypted.</summary>
    public static byte[] Plain(byte[] share, OpenedRecoveryKey? key)
    {
        if (PlainLengths.Contains(share.Length))
            return share;
        if (key is null)
            throw new CommandException(ExitCode.Usage, $"The share has {share.Length} bytes: it is encrypted. Name the recovery key with --key or --pkcs11-config.");
        try
        {
            return key.Rsa.Decrypt(share, RSAEncryptionPadding.OaepSHA256);
        }
        catch (CryptographicException refused)
        {
            throw new CommandException(ExitCode.Refused, "The share does not open with this key. Is it the share of this recovery key, as bytes (base64 -d what 'manifest set' printed)?", refused);
        }
    }

    public static byte[] Sign(byte[] share, OpenedRecoveryKey? key) => key is null
        ? throw new CommandException(ExitCode.Usage, "A share is signed: name the recovery key with --key or --pkcs11-config.")
        : key.Rsa.SignData(share, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
}

/// <summary>A recovery key, and the token that has it, if one has.</summary>
internal sealed class OpenedRecoveryKey(RSA rsa, Pkcs11Token? token) : IDisposable
{
    public RSA Rsa { get; } = rsa;

    public void Dispose()
    {
        Rsa.Dispose();
        token?.Dispose();
    }
}

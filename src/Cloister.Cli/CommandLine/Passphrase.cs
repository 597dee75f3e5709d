using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Cloister.Sealing;
using ClientKeyFile = Cloister.Homomorphic.Wire.KeyFile;

namespace Cloister.Cli.CommandLine;

/// <summary>The passphrase of a key file: from a file, the environment, or a prompt on a terminal. Never an argument, which other users of the machine could see.</summary>
internal sealed class Passphrase
{
    /// <summary>The environment's variable.</summary>
    public const string Variable = "CLOISTER_HE_PASSPHRASE";

    private const int Limit = 1024;

    private readonly Option<string?> _file = new("--passphrase-file") { Description = $"A file whose first line is the key file's passphrase; else {Variable} is taken, or it is asked for." };

    public void AddTo(Command verb) => verb.Add(_file);

    /// <summary>The passphrase, UTF-8.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="isNew">Whether a key will be written under it: then it is asked for twice, and must be long enough.</param>
    /// <param name="cancellation">Ends the reading of a file.</param>
    public async Task<SecretBytes> ReadAsync(ParseResult parsed, bool isNew, CancellationToken cancellation)
    {
        SecretBytes passphrase = await ReadAsync(parsed.GetValue(_file), isNew, cancellation);
        if (passphrase.Length >= (isNew ? ClientKeyFile.MinimumPassphrase : 1)) return passphrase;
        passphrase.Dispose();
        throw new CommandException(ExitCode.Usage, $"The passphrase has fewer than {ClientKeyFile.MinimumPassphrase} bytes. Take several words.");
    }

    private static async Task<SecretBytes> ReadAsync(string? file, bool isNew, CancellationToken cancellation)
    {
        if (file is not null)
        {
            byte[] text = await LocalFile.ReadAsync(file, cancellation, Limit);
            try
            {
                int end = text.AsSpan().IndexOfAny((byte)'\r', (byte)'\n');
                return SecretBytes.Copy(text.AsSpan(0, end < 0 ? text.Length : end));
            }
            finally
            {
                CryptographicOperations.ZeroMemory(text);
            }
        }
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given) return Copy(given.ToCharArray());
        if (Console.IsInputRedirected) throw new CommandException(ExitCode.Usage, $"The key file has a passphrase: give it with --passphrase-file or in {Variable}.");
        SecretBytes first = Ask("Passphrase of the key file: ");
        if (!isNew) return first;
        using SecretBytes second = Ask("The same again: ");
        if (CryptographicOperations.FixedTimeEquals(first.Span, second.Span)) return first;
        first.Dispose();
        throw new CommandException(ExitCode.Usage, "The two passphrases differ. Nothing was written.");
    }

    private static SecretBytes Ask(string prompt)
    {
        Console.Error.Write(prompt);
        var typed = new char[Limit];
        int length = 0;
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace) length = Math.Max(0, length - 1);
            else if (key.KeyChar >= ' ' && length < typed.Length) typed[length++] = key.KeyChar;
        }
        Console.Error.WriteLine();
        return Copy(typed, length);
    }

    private static SecretBytes Copy(char[] text, int? length = null)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        try
        {
            return SecretBytes.Copy(bytes.AsSpan(0, Encoding.UTF8.GetBytes(text.AsSpan(0, length ?? text.Length), bytes)));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
            Array.Clear(text);
        }
    }
}

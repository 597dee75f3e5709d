using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Cloister.Client.Pkcs11;

namespace Cloister.Cli.CommandLine;

/// <summary>Options that name a private key in a PKCS#11 token; MarbleRun's names.</summary>
internal sealed class TokenKey(string what)
{
    /// <summary>The PIN, where the configuration file has none.</summary>
    public const string PinVariable = "CLOISTER_PKCS11_PIN";

    private readonly Option<string?> _configuration = new("--pkcs11-config") { Description = $"A PKCS#11 configuration, JSON (Path, TokenLabel, Pin), of the token that has {what}; without Pin, {PinVariable} is taken." };
    private readonly Option<string?> _id = new("--pkcs11-key-id") { Description = "The private key's id in the token: text, or hex:..." };
    private readonly Option<string?> _label = new("--pkcs11-key-label") { Description = "The private key's label in the token." };

    public void AddTo(Verb verb)
    {
        verb.Add(_configuration);
        verb.Add(_id);
        verb.Add(_label);
    }

    public bool IsGiven(ParseResult parsed)
    {
        bool given = parsed.GetValue(_configuration) is not null;
        if (!given && (parsed.GetValue(_id) is not null || parsed.GetValue(_label) is not null))
            throw new CommandException(ExitCode.Usage, "--pkcs11-key-id and --pkcs11-key-label need --pkcs11-config.");
        return given;
    }

    public Pkcs11Name Name(ParseResult parsed) => parsed.GetValue(_id) is null && parsed.GetValue(_label) is null
        ? throw new CommandException(ExitCode.Usage, "--pkcs11-config needs --pkcs11-key-id or --pkcs11-key-label: the private key in the token.")
        : Pkcs11Name.Of(parsed.GetValue(_id), parsed.GetValue(_label));

    public async Task<Pkcs11Configuration> ReadAsync(ParseResult parsed, CancellationToken cancellation)
    {
        byte[] json = await LocalFile.ReadAsync(parsed.GetValue(_configuration)!, cancellation, Pkcs11Configuration.MaxBytes);
        byte[] pin = Encoding.UTF8.GetBytes(Environment.GetEnvironmentVariable(PinVariable) ?? "");
        try
        {
            return Pkcs11Configuration.Read(json, pin);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(json);
            CryptographicOperations.ZeroMemory(pin);
        }
    }
}

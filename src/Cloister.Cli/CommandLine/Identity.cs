using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using Cloister.Client.Pkcs11;

namespace Cloister.Cli.CommandLine;

/// <summary>Options by which a verb says which user it acts for: a certificate and key in files, or in a PKCS#11 token. MarbleRun's names.</summary>
internal sealed class Identity
{
    private readonly Option<string?> _certificate = new("--cert", "-c") { Description = "The user's certificate, PEM." };
    private readonly Option<string?> _key = new("--key", "-k") { Description = "The user's private key, PEM." };
    private readonly Option<string?> _certificateId = new("--pkcs11-cert-id") { Description = "The certificate's id in the token: text, or hex:..." };
    private readonly Option<string?> _certificateLabel = new("--pkcs11-cert-label") { Description = "The certificate's label in the token." };
    private readonly TokenKey _token = new("the user's certificate and key");

    public Verb AddTo(Verb verb)
    {
        verb.Add(_certificate);
        verb.Add(_key);
        _token.AddTo(verb);
        verb.Add(_certificateId);
        verb.Add(_certificateLabel);
        return verb;
    }

    /// <summary>Opens the identity; the caller disposes of it after the last call.</summary>
    public async Task<OpenedIdentity> OpenAsync(ParseResult parsed, CancellationToken cancellation)
    {
        string? certificate = parsed.GetValue(_certificate), key = parsed.GetValue(_key), id = parsed.GetValue(_certificateId), label = parsed.GetValue(_certificateLabel);
        if (!_token.IsGiven(parsed))
            return id is null && label is null ? new OpenedIdentity(await Peer.ReadIdentityAsync(certificate, key, cancellation), null)
                : throw new CommandException(ExitCode.Usage, "--pkcs11-cert-id and --pkcs11-cert-label need --pkcs11-config.");
        if (certificate is not null || key is not null)
            throw new CommandException(ExitCode.Usage, "The identity is in files (--cert, --key) or in a token (--pkcs11-config), not in both.");
        Pkcs11Name wanted = _token.Name(parsed);
        if (id is null && label is null)
            throw new CommandException(ExitCode.Usage, "--pkcs11-config needs --pkcs11-cert-id or --pkcs11-cert-label: the certificate that the manifest names.");
        using Pkcs11Configuration configuration = await _token.ReadAsync(parsed, cancellation);
        Pkcs11Identity identity = Pkcs11Identity.Open(configuration, wanted, Pkcs11Name.Of(id, label));
        return new OpenedIdentity(identity.Certificate, identity);
    }
}

/// <summary>A user's certificate with its key, and the token that has the key, if one has.</summary>
internal sealed class OpenedIdentity(X509Certificate2 certificate, Pkcs11Identity? token) : IDisposable
{
    public X509Certificate2 Certificate { get; } = certificate;

    public void Dispose()
    {
        Certificate.Dispose();
        token?.Dispose();
    }
}

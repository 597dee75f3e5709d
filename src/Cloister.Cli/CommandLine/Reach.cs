using System.Collections.Immutable;
using System.CommandLine;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Client;
using Cloister.Client.MarbleRun;
using Cloister.Collateral;
using Cloister.Protocol.Trust;

namespace Cloister.Cli.CommandLine;

/// <summary>How a verb may come to trust its coordinator.</summary>
internal enum Trust
{
    /// <summary>By evidence, now.</summary>
    Fresh,

    /// <summary>By evidence now, or by the certificate that an earlier verification kept.</summary>
    Kept,

    /// <summary>Not at all, if nothing is said: the answer is a hint.</summary>
    Hint,
}

/// <summary>
/// Arguments and options by which a verb finds its coordinator and verifies it: by Cloister's policy, or as MarbleRun's CLI does, under
/// the same names (its global flags).
/// </summary>
internal sealed class Reach(Trust trust)
{
    private const string KeptFile = "coordinator-cert.pem", CollateralFolderVariable = "CLOISTER_COLLATERAL_DIR", CollateralServiceVariable = "CLOISTER_COLLATERAL_SERVICE";
    private static readonly string[] EraFiles = ["coordinator-era.json", "era-config.json"];

    private readonly Argument<string?> _address = new("address") { Description = "The coordinator's client address, such as localhost:4433; or say --coordinator.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> _coordinator = new("--coordinator") { Description = "The coordinator's client address, such as https://localhost:4433." };
    private readonly Option<string?> _policy = new("--policy") { Description = "What to demand of the coordinator (docs/formats/coordinator-policy.md), from elsewhere than the deployment." };
    private readonly Option<string?> _era = new("--era-config") { Description = "A MarbleRun coordinator's reference values, JSON; coordinator-era.json in this folder if there." };
    private readonly Option<bool> _insecure = new("--insecure", "-i") { Description = "Verify nothing: for simulation and tests." };
    private readonly Option<string?> _kept = new("--coordinator-cert") { Description = "The file that keeps a verified coordinator's certificates for later verbs." };
    private readonly Option<string?> _nonce = new("--nonce") { Description = "With --era-config: a nonce of your own, as text, for the quote." };
    private readonly Option<string?> _quote = new("--save-sgx-quote") { Description = "With --era-config or --insecure: write the coordinator's SGX quote to this file." };
    private readonly Option<string[]> _statuses = new("--accepted-tcb-statuses") { Description = "With --era-config: statuses of the platform that are accepted (UpToDate,SWHardeningNeeded).", CustomParser = Listed };
    private readonly Option<string[]> _advisories = new("--accepted-advisories") { Description = "With --era-config: Intel's advisories that are accepted; all if none is named.", CustomParser = Listed };
    private readonly Option<string?> _collateral = new("--collateral") { Description = $"With --era-config: a folder with Intel's data instead of Intel's service (or {CollateralFolderVariable}; {CollateralServiceVariable} names a PCCS)." };

    /// <summary>Adds all of them to a verb; the address is its last argument.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="withAddress">False for a verb that takes the address out of its own arguments.</param>
    public Verb AddTo(Verb verb, bool withAddress = true)
    {
        if (withAddress)
            verb.Add(_address);
        foreach (Option option in new Option[] { _coordinator, _policy, _era, _insecure, _kept, _nonce, _quote, _statuses, _advisories, _collateral })
            verb.Add(option);
        return verb;
    }

    /// <summary>Whether --coordinator names the address, so that no argument does.</summary>
    public bool IsNamed(ParseResult parsed) => parsed.GetValue(_coordinator) is not null;

    /// <summary>Whether Cloister's own policy was given, and so Cloister's own wire is spoken.</summary>
    public bool HasPolicy(ParseResult parsed) => parsed.GetValue(_policy) is not null;

    /// <summary>The address that was given.</summary>
    public Uri Address(ParseResult parsed, string? argument = null)
    {
        string? positional = argument ?? parsed.GetValue(_address), option = parsed.GetValue(_coordinator);
        if (positional is not null && option is not null)
            throw new CommandException(ExitCode.Usage, "Say the coordinator's address once: as the last argument, or with --coordinator.");
        return Peer.Address(positional ?? option ?? throw new CommandException(ExitCode.Usage, "Say the coordinator's address, such as localhost:4433."));
    }

    /// <summary>Verifies the coordinator in the way that was asked for; refuses where none was.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="screen">For warnings and checks.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <param name="argument">The address, where it is part of the verb's own arguments.</param>
    /// <param name="adjust">Changes Cloister's policy: before a manifest, or to a fingerprint.</param>
    public async Task<ReachedCoordinator> OpenAsync(ParseResult parsed, Screen screen, CancellationToken cancellation, string? argument = null, Func<CoordinatorPolicy, CoordinatorPolicy>? adjust = null)
    {
        Uri address = Address(parsed, argument);
        if (parsed.GetValue(_insecure) && (HasPolicy(parsed) || parsed.GetValue(_era) is not null))
            throw new CommandException(ExitCode.Usage, "--insecure verifies nothing: leave it away, or --policy and --era-config.");
        if (HasPolicy(parsed) && parsed.GetValue(_era) is not null)
            throw new CommandException(ExitCode.Usage, "Verify by --policy or by --era-config, not by both.");
        if (parsed.GetValue(_insecure))
            return await UnverifiedAsync(address, parsed, screen, cancellation);
        if (parsed.GetValue(_policy) is { } policy)
            return await ByPolicyAsync(address, policy, adjust, parsed, screen, cancellation);
        if (parsed.GetValue(_era) is { } era)
            return await ByQuoteAsync(address, era, parsed, screen, cancellation);
        if (trust != Trust.Fresh && KeptPath(parsed) is { } kept && (parsed.GetValue(_kept) is not null || (trust == Trust.Kept && File.Exists(kept))))
            return await ByKeptAsync(address, kept, cancellation);
        if (trust == Trust.Hint)
            return new ReachedCoordinator(address, null, null, null);
        if (EraFiles.FirstOrDefault(File.Exists) is { } found)
        {
            screen.Note($"verifying by '{found}' in this folder");
            return await ByQuoteAsync(address, found, parsed, screen, cancellation);
        }
        throw new CommandException(ExitCode.Refused, $"Nothing says how to verify the coordinator at {address.Authority}, and an unverified one is refused. " +
            $"Give --policy (Cloister), or --era-config (MarbleRun){(trust == Trust.Kept ? ", or verify it once with: cloister manifest verify" : "")}. In simulation alone: --insecure.");
    }

    /// <summary>Keeps the certificates for later verbs, as MarbleRun's CLI does after a verification. Those that nobody verified are kept only where the user names the file.</summary>
    public async Task KeepAsync(ReachedCoordinator reached, ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        bool named = parsed.GetValue(_kept) is not null;
        if (reached.Certificates is not { } certificates || KeptPath(parsed) is not { } path || (!named && (!reached.IsVerified || HasPolicy(parsed))))
            return;
        await LocalFile.WriteAsync(path, CoordinatorCertificates.ToPem(certificates.Intermediate, certificates.Root), cancellation);
        screen.Note($"kept the coordinator's certificates in '{path}'");
    }

    private static async Task<ReachedCoordinator> ByKeptAsync(Uri address, string path, CancellationToken cancellation)
    {
        string pem = Encoding.UTF8.GetString(await LocalFile.ReadAsync(path, cancellation, CoordinatorCertificates.MaxLength));
        try
        {
            (byte[] intermediate, byte[] root) = CoordinatorCertificates.Read(pem);
            return new ReachedCoordinator(address, new MarbleRunQuote(intermediate, root, default), null, CoordinatorCertificates.KeyOf(root));
        }
        catch (ClientException malformed)
        {
            throw new CommandException(ExitCode.BadInput, $"'{path}': {malformed.Message} Verify the coordinator again with: cloister manifest verify", malformed);
        }
    }

    private async Task<ReachedCoordinator> UnverifiedAsync(Uri address, ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        screen.Warn($"--insecure: nobody has verified who answers at {address.Authority}. Whatever is sent there, secrets too, may go to anybody.");
        using var client = new MarbleRunClient(address);
        MarbleRunQuote quote = await client.GetQuoteAsync(Nonce(parsed), cancellation);
        await SaveQuoteAsync(quote, parsed, cancellation);
        // Unverified, but all of this verb's calls go to one and the same.
        return new ReachedCoordinator(address, quote, null, client.PeerKey);
    }

    /// <summary>The policy, or that for a coordinator without a manifest where it has none: who only asks for its state does not rely on a manifest.</summary>
    private static async Task<CoordinatorPolicy> WithOrBeforeManifestAsync(Uri coordinator, CoordinatorPolicy policy, CancellationToken cancellation)
    {
        try
        {
            _ = await new DeploymentVerifier().VerifyCoordinatorAsync(coordinator, policy, cancellation);
            return policy;
        }
        catch (PeerRefusedException none) when (none.Refusal == Refusal.ManifestPresence)
        {
            return policy.BeforeManifest();
        }
        catch (PeerRefusedException)
        {
            // Refused again, and explained, by whoever asked.
            return policy;
        }
    }

    private async Task<ReachedCoordinator> ByPolicyAsync(Uri address, string path, Func<CoordinatorPolicy, CoordinatorPolicy>? adjust, ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        if (parsed.GetValue(_quote) is not null || parsed.GetValue(_nonce) is not null)
            throw new CommandException(ExitCode.Usage, "--nonce and --save-sgx-quote belong to --era-config; a policy is always verified with a fresh nonce.");
        CoordinatorPolicy policy = await Peer.ReadPolicyAsync(path, cancellation);
        policy = trust == Trust.Hint ? await WithOrBeforeManifestAsync(address, policy, cancellation) : adjust?.Invoke(policy) ?? policy;
        VerifiedDeployment deployment = await Peer.VerifyAsync(address, policy, screen, cancellation);
        return new ReachedCoordinator(address, new MarbleRunQuote(deployment.Trust.Intermediate, deployment.Trust.Root, default), deployment, deployment.RootKey) { IsVerified = true };
    }

    private async Task<ReachedCoordinator> ByQuoteAsync(Uri address, string path, ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        EraConfiguration era;
        try
        {
            era = EraConfiguration.Read(await LocalFile.ReadAsync(path, cancellation, EraConfiguration.MaxBytes));
        }
        catch (ClientException malformed)
        {
            throw new CommandException(ExitCode.BadInput, $"'{path}': {malformed.Message}", malformed);
        }
        ImmutableArray<string>? advisories = parsed.GetValue(_advisories) is { Length: > 0 } named ? [.. named] : null;
        using IntelProvisioningCertification service = new(new CollateralServiceOptions { Address = Service() });
        string? folder = parsed.GetValue(_collateral) ?? Environment.GetEnvironmentVariable(CollateralFolderVariable);
        ICollateralSource source = parsed.GetValue(_collateral) is { } offline ? new OfflineFolder(offline) : folder is { Length: > 0 } ? new DiskCache(service, folder) : service;
        try
        {
            VerifiedMarbleRun verified = await new MarbleRunVerifier(source).VerifyAsync(address, era.ToPolicy(Statuses(parsed), advisories), Nonce(parsed), cancellation);
            await SaveQuoteAsync(verified.Certificates, parsed, cancellation);
            if (!verified.IsFresh)
                screen.Warn("this coordinator knows no nonces: its quote may be an old one.");
            return new ReachedCoordinator(address, verified.Certificates, null, verified.RootKey) { IsVerified = true };
        }
        catch (PeerRefusedException refused)
        {
            Peer.Print(refused.Result, screen);
            throw;
        }
    }

    private async Task SaveQuoteAsync(MarbleRunQuote quote, ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetValue(_quote) is { } path)
            await LocalFile.WriteAsync(path, quote.Quote, cancellation);
    }

    private byte[] Nonce(ParseResult parsed) => Encoding.UTF8.GetBytes(parsed.GetValue(_nonce) ?? "");

    private ImmutableArray<TcbStatus> Statuses(ParseResult parsed)
    {
        if (parsed.GetValue(_statuses) is not { Length: > 0 } named)
            return EraConfiguration.UsualStatuses;
        return [.. named.Select(name => Enum.TryParse(name, ignoreCase: false, out TcbStatus status) && Enum.IsDefined(status) && status is not (TcbStatus.NotEvaluated or TcbStatus.Revoked or TcbStatus.NotSupported or TcbStatus.Unrecognized) && !char.IsAsciiDigit(name[0])
            ? status
            : throw new CommandException(ExitCode.Usage, $"'{name}' is no status of a platform that can be accepted. Known are UpToDate, SWHardeningNeeded, ConfigurationNeeded, ConfigurationAndSWHardeningNeeded, OutOfDate and OutOfDateConfigurationNeeded."))];
    }

    private static Uri? Service()
    {
        string? named = Environment.GetEnvironmentVariable(CollateralServiceVariable);
        return named is null or "" or "intel" ? null
            : Uri.TryCreate(named, UriKind.Absolute, out Uri? address) ? address
            : throw new CommandException(ExitCode.Usage, $"{CollateralServiceVariable}: '{named}' is neither 'intel' nor an address.");
    }

    private string? KeptPath(ParseResult parsed)
    {
        if (parsed.GetValue(_kept) is { Length: > 0 } named)
            return named;
        string folder = Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return folder.Length == 0 ? null : Path.Combine(folder, "cloister", KeptFile);
    }

    private static string[] Listed(System.CommandLine.Parsing.ArgumentResult result) =>
        [.. result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
}

/// <summary>A coordinator that a verb may talk to.</summary>
/// <param name="Address">Its address.</param>
/// <param name="Certificates">Its certificates; null where nothing was asked of it.</param>
/// <param name="Deployment">What Cloister's policy verified; null where it was not by a policy.</param>
/// <param name="RootKey">The TLS key of every call; null where the answer is a hint.</param>
internal sealed record ReachedCoordinator(Uri Address, MarbleRunQuote? Certificates, VerifiedDeployment? Deployment, ReadOnlyMemory<byte>? RootKey)
{
    /// <summary>Whether evidence was verified just now.</summary>
    public bool IsVerified { get; init; }

    /// <summary>Calls on MarbleRun's wire, to this coordinator alone.</summary>
    public MarbleRunClient Client(System.Security.Cryptography.X509Certificates.X509Certificate2? user = null) => new(Address, RootKey, user);
}

namespace Cloister.Workload;

/// <summary>Who may use which models, and how much: all of it, as the manifest in force says. A newer manifest brings another whole.</summary>
/// <param name="Callers">Who may use which model.</param>
/// <param name="AnonymousModels">The models anybody may use.</param>
public sealed record CallerRights(IReadOnlyList<CallerGrant> Callers, IReadOnlyList<string> AnonymousModels)
{
    /// <summary>Who issues tokens for callers.</summary>
    public IReadOnlyList<TokenIssuerGrant> TokenIssuers { get; init; } = [];

    /// <summary>Limits of all together who are no caller; empty: none.</summary>
    public IReadOnlyList<LimitsGrant> AnonymousLimits { get; init; } = [];
}

/// <summary>
/// Somebody who may use models, recognised by exactly one of: a client certificate, the SHA-256 of a bearer token, the claims of a JWT, the
/// names in a client certificate of an authority.
/// </summary>
/// <param name="Name">The caller's name in the manifest.</param>
/// <param name="Certificate">The client certificate, DER; empty if the caller shows something else.</param>
/// <param name="TokenSha256">SHA-256 of the bearer token, 32 bytes; empty if the caller shows something else.</param>
/// <param name="Models">The models the caller may use.</param>
public sealed record CallerGrant(string Name, ReadOnlyMemory<byte> Certificate, ReadOnlyMemory<byte> TokenSha256, IReadOnlyList<string> Models)
{
    /// <summary>Whose JWTs are the caller's; null if the caller shows something else.</summary>
    public TokenRuleGrant? Token { get; init; }

    /// <summary>Which certificates of an authority are the caller's; null if the caller shows something else.</summary>
    public CertificateRuleGrant? CertificateFrom { get; init; }

    /// <summary>How much it may use; empty: as much as the server can.</summary>
    public IReadOnlyList<LimitsGrant> Limits { get; init; } = [];

    /// <summary>What of the server it may change: <c>models</c>, or nothing.</summary>
    public IReadOnlyList<string> Administers { get; init; } = [];
}

/// <summary>Which JWTs are a caller's.</summary>
/// <param name="Issuer">The name of a <see cref="TokenIssuerGrant"/>.</param>
/// <param name="Claims">By claim: the values of which a token must have one. All claims must fit; empty: every token of the issuer.</param>
public sealed record TokenRuleGrant(string Issuer, IReadOnlyDictionary<string, IReadOnlyList<string>> Claims);

/// <summary>Which certificates of an authority are a caller's.</summary>
/// <param name="Authority">The certificate that signed the client's, DER.</param>
public sealed record CertificateRuleGrant(ReadOnlyMemory<byte> Authority)
{
    /// <summary>The subject's common name; <c>*</c> is any. Empty: not looked at.</summary>
    public string CommonName { get; init; } = "";

    /// <summary>A DNS name; <c>*.</c> in front stands for one label. Empty: not looked at.</summary>
    public string Dns { get; init; } = "";

    /// <summary>A URI; <c>*</c> at the end stands for the rest. Empty: not looked at.</summary>
    public string Uri { get; init; } = "";

    /// <summary>A mail address; <c>*@</c> in front stands for any mailbox. Empty: not looked at.</summary>
    public string Email { get; init; } = "";

    /// <summary>Serial numbers, big-endian without leading zeros, that are no longer taken.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Revoked { get; init; } = [];
}

/// <summary>Limits of a quota; 0 is none.</summary>
/// <param name="Model">The model; empty: all models together that have no limits of their own.</param>
public sealed record LimitsGrant(string Model)
{
    /// <summary>Requests in <see cref="Interval"/>.</summary>
    public long Requests { get; init; }

    /// <summary>The interval of <see cref="Requests"/>, <see cref="Bytes"/>, <see cref="Elements"/> and <see cref="Rows"/>.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Requests that may come at once after a pause; 0: as many as <see cref="Requests"/>.</summary>
    public long Burst { get; init; }

    /// <summary>Requests under way at once.</summary>
    public int Concurrent { get; init; }

    /// <summary>Bytes of input tensors in <see cref="Interval"/>.</summary>
    public long Bytes { get; init; }

    /// <summary>Elements of input tensors in <see cref="Interval"/>.</summary>
    public long Elements { get; init; }

    /// <summary>Rows that encrypted models answer in <see cref="Interval"/>.</summary>
    public long Rows { get; init; }
}

/// <summary>Who issues JWTs for callers.</summary>
/// <param name="Name">The issuer's name in the manifest.</param>
/// <param name="Issuer">The claim <c>iss</c>, compared exactly.</param>
/// <param name="Audiences">The claim <c>aud</c> must hold one of them.</param>
public sealed record TokenIssuerGrant(string Name, string Issuer, IReadOnlyList<string> Audiences)
{
    /// <summary>A JWK set, JSON; empty where keys are only fetched.</summary>
    public ReadOnlyMemory<byte> Keys { get; init; }

    /// <summary>Where the JWK set is fetched from; null where it is only given.</summary>
    public Uri? KeysAddress { get; init; }

    /// <summary>The root of <see cref="KeysAddress"/>'s TLS certificate, DER.</summary>
    public ReadOnlyMemory<byte> KeysRoot { get; init; }

    /// <summary>The algorithms that tokens may have; empty: whatever fits the key.</summary>
    public IReadOnlyList<string> Algorithms { get; init; } = [];

    /// <summary>How far the issuer's clock may be from this one.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The longest time between a token's issue and its end.</summary>
    public TimeSpan MaxLifetime { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How often keys are fetched.</summary>
    public TimeSpan Refresh { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long fetched keys are used while they cannot be fetched again.</summary>
    public TimeSpan Stale { get; init; } = TimeSpan.FromHours(1);
}

using System.Collections.Immutable;

namespace Cloister.Protocol.Manifest;

/// <summary>Cloister: who may call. Exactly one of the four credentials is set.</summary>
public sealed record ManifestCaller
{
    internal ManifestCaller() { }

    /// <summary>Client certificate, DER; empty where another credential is used.</summary>
    public ReadOnlyMemory<byte> CertificateDer { get; internal init; }
    /// <summary>SHA-256 of the bearer token, 32 bytes; empty where another credential is used.</summary>
    public ReadOnlyMemory<byte> TokenSha256 { get; internal init; }
    /// <summary>Whoever shows a JWT of an issuer with these claims; null where another credential is used.</summary>
    public ManifestTokenRule? Token { get; internal init; }
    /// <summary>Whoever shows a client certificate of an authority with these names; null where another credential is used.</summary>
    public ManifestCertificateRule? CertificateFrom { get; internal init; }
    /// <summary>Names in <see cref="ManifestDocument.Models"/> that it may call.</summary>
    public ImmutableArray<string> Models { get; internal init; } = [];
    /// <summary>How much it may call; null: as much as the server can.</summary>
    public ManifestQuota? Quota { get; internal init; }
    /// <summary>Words of <see cref="ManifestAdministration"/>: what of a server it may change.</summary>
    public ImmutableArray<string> Administers { get; internal init; } = [];
}

/// <summary>What a caller may administer.</summary>
public static class ManifestAdministration
{
    /// <summary>Loading, unloading and reloading models.</summary>
    public const string Models = "models";
}

/// <summary>Which JWTs are a caller's.</summary>
public sealed record ManifestTokenRule
{
    internal ManifestTokenRule() { }

    /// <summary>A name in <see cref="ManifestDocument.TokenIssuers"/>.</summary>
    public string Issuer { get; internal init; } = "";
    /// <summary>By claim: the token must have one of the values (a text, or a list of texts that holds one of them). All claims must fit.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Claims { get; internal init; } = ManifestDocument.Names.Empty<ImmutableArray<string>>();
    /// <summary>Whether every valid token of the issuer is this caller's.</summary>
    public bool Any { get; internal init; }
}

/// <summary>Which client certificates are a caller's. Every name that is given must fit; at least one is.</summary>
public sealed record ManifestCertificateRule
{
    internal ManifestCertificateRule() { }

    /// <summary>The issuing authority's certificate, DER; it signed the client's certificate itself.</summary>
    public ReadOnlyMemory<byte> AuthorityDer { get; internal init; }
    /// <summary>The subject's common name; <c>*</c> is any. Empty: not looked at.</summary>
    public string CommonName { get; internal init; } = "";
    /// <summary>A DNS name; <c>*.</c> in front stands for one label. Empty: not looked at.</summary>
    public string Dns { get; internal init; } = "";
    /// <summary>A URI; <c>*</c> at the end stands for the rest. Empty: not looked at.</summary>
    public string Uri { get; internal init; } = "";
    /// <summary>A mail address; <c>*@</c> in front stands for any mailbox. Empty: not looked at.</summary>
    public string Email { get; internal init; } = "";
    /// <summary>Serial numbers, big-endian without leading zeros, of certificates that are no longer taken.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> Revoked { get; internal init; } = [];
}

/// <summary>Who issues JWTs for callers.</summary>
public sealed record ManifestTokenIssuer
{
    internal ManifestTokenIssuer() { }

    /// <summary>The claim <c>iss</c>, compared exactly.</summary>
    public string Issuer { get; internal init; } = "";
    /// <summary>The claim <c>aud</c> must hold one of them.</summary>
    public ImmutableArray<string> Audiences { get; internal init; } = [];
    /// <summary>A JWK set (RFC 7517) as it stands in the manifest, UTF-8; empty where the keys are only fetched.</summary>
    public ReadOnlyMemory<byte> Keys { get; internal init; }
    /// <summary>Where the JWK set is fetched from, https; empty where it stands in the manifest.</summary>
    public string KeysAddress { get; internal init; } = "";
    /// <summary>The root of <see cref="KeysAddress"/>'s TLS certificate, DER.</summary>
    public ReadOnlyMemory<byte> KeysRootDer { get; internal init; }
    /// <summary>Words of <see cref="Tokens.TokenAlgorithms"/>; empty: whatever fits the key.</summary>
    public ImmutableArray<string> Algorithms { get; internal init; } = [];
    /// <summary>How far the issuer's clock may be from the server's.</summary>
    public uint ClockSkewSeconds { get; internal init; } = 60;
    /// <summary>The longest time between a token's issue (now, where it does not say) and its end.</summary>
    public uint MaxLifetimeSeconds { get; internal init; } = 86_400;
    /// <summary>How often keys are fetched.</summary>
    public uint RefreshSeconds { get; internal init; } = 300;
    /// <summary>How long fetched keys are used while they cannot be fetched again.</summary>
    public uint StaleSeconds { get; internal init; } = 3_600;
}

/// <summary>How much a caller may call.</summary>
public sealed record ManifestQuota
{
    internal ManifestQuota() { }

    /// <summary>For all models together that are not in <see cref="Models"/>.</summary>
    public ManifestLimits Limits { get; internal init; } = new();
    /// <summary>By model: limits of its own, in place of the others.</summary>
    public ImmutableSortedDictionary<string, ManifestLimits> Models { get; internal init; } = ManifestDocument.Names.Empty<ManifestLimits>();
}

/// <summary>Limits of a quota; 0 is none.</summary>
public sealed record ManifestLimits
{
    internal ManifestLimits() { }

    /// <summary>Requests in <see cref="Seconds"/>.</summary>
    public ulong Requests { get; internal init; }
    /// <summary>The interval of <see cref="Requests"/>, <see cref="Bytes"/>, <see cref="Elements"/> and <see cref="Rows"/>.</summary>
    public uint Seconds { get; internal init; } = 1;
    /// <summary>Requests that may come at once after a pause; 0: as many as <see cref="Requests"/>.</summary>
    public ulong Burst { get; internal init; }
    /// <summary>Requests under way at once.</summary>
    public uint Concurrent { get; internal init; }
    /// <summary>Bytes of input tensors in <see cref="Seconds"/>.</summary>
    public ulong Bytes { get; internal init; }
    /// <summary>Elements of input tensors in <see cref="Seconds"/>.</summary>
    public ulong Elements { get; internal init; }
    /// <summary>Rows that encrypted models answer in <see cref="Seconds"/>.</summary>
    public ulong Rows { get; internal init; }
}

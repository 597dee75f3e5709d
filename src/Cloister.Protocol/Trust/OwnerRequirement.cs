using System.Collections.Immutable;

namespace Cloister.Protocol.Trust;

/// <summary>Who must have signed the manifest.</summary>
public abstract record OwnerRequirement
{
    private OwnerRequirement() { }

    /// <summary>Nobody need have: whoever reached the coordinator first may have set it.</summary>
    public static OwnerRequirement AnyOwner { get; } = new Any();

    /// <summary>At least one of these keys, as SubjectPublicKeyInfo in DER, ECDSA P-256 or P-384.</summary>
    public sealed record SignedBy(ImmutableArray<ReadOnlyMemory<byte>> Keys) : OwnerRequirement;

    /// <summary>No signature is asked for.</summary>
    public sealed record Any : OwnerRequirement;
}

/// <summary>Which manifest must be in force.</summary>
public abstract record ManifestRequirement
{
    private ManifestRequirement() { }

    /// <summary>Whichever, as long as one is.</summary>
    public static ManifestRequirement AnyManifest { get; } = new Any();

    /// <summary>None yet: for the operator who is about to set the first. It has no written form.</summary>
    public static ManifestRequirement NoneYet { get; } = new None();

    /// <summary>This one: its fingerprint, 64 lower-case hex digits.</summary>
    public sealed record Exactly(string Fingerprint) : ManifestRequirement;

    /// <summary>Whichever, as long as one is.</summary>
    public sealed record Any : ManifestRequirement;

    /// <summary>None yet.</summary>
    public sealed record None : ManifestRequirement;
}

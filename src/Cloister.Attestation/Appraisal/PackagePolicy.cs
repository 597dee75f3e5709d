using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>What a relying party accepts of an evidence set: one kind of TEE, or several joined (docs/formats/policy.md).</summary>
public abstract record PackagePolicy
{
    private protected PackagePolicy()
    {
    }

    /// <summary>The policies this one is joined from; empty for the policy of one TEE.</summary>
    internal virtual ImmutableArray<PackagePolicy> Parts => [];

    /// <summary>Whether evidence of this kind is named anywhere in the policy.</summary>
    public bool Names(TeeKind kind) => this is TeePolicy tee ? tee.Kind == kind : Parts.Any(part => part.Names(kind));
}

/// <summary>Every part must accept evidence of the set.</summary>
public sealed record AllOf(ImmutableArray<PackagePolicy> Policies) : PackagePolicy
{
    internal override ImmutableArray<PackagePolicy> Parts => Policies.IsDefault ? [] : Policies;
}

/// <summary>At least one part must accept evidence of the set.</summary>
public sealed record AnyOf(ImmutableArray<PackagePolicy> Policies) : PackagePolicy
{
    internal override ImmutableArray<PackagePolicy> Parts => Policies.IsDefault ? [] : Policies;
}

/// <summary>The policy for one kind of TEE.</summary>
public abstract record TeePolicy : PackagePolicy
{
    private protected TeePolicy(TeeKind kind) => Kind = kind;

    /// <summary>The kind of TEE it names.</summary>
    public TeeKind Kind { get; }
}

/// <summary>Accepts simulated evidence. It proves nothing against whoever controls the machine or the host key.</summary>
/// <param name="Digest">The folder's or command's digest, 64 lower-case hexadecimal digits.</param>
/// <param name="HostKeys">SubjectPublicKeyInfo (DER) of every simulator whose signature is accepted.</param>
public sealed record SimulationPolicy(Requirement<string> Digest, ImmutableArray<ReadOnlyMemory<byte>> HostKeys) : TeePolicy(TeeKind.Simulation);

/// <summary>Names a kind of TEE that this version does not verify: it refuses all evidence.</summary>
public sealed record UnsupportedPolicy : TeePolicy
{
    /// <summary>Names a kind of TEE.</summary>
    public UnsupportedPolicy(TeeKind kind)
        : base(kind)
    {
    }
}

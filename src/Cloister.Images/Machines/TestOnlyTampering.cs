using System.Collections.Immutable;

namespace Cloister.Images.Machines;

/// <summary>
/// What a hostile operator of the host can do to a machine when it starts, for tests and for the attacks of the quickstart. No product verb
/// sets it; all of it shows in the measurements or fails.
/// </summary>
public sealed record TestOnlyTampering
{
    /// <summary>A kernel command line of the host's own, which a stub without Secure Boot obeys.</summary>
    public string? CommandLine { get; init; }

    /// <summary>Another file as Unified Kernel Image.</summary>
    public string? Uki { get; init; }

    /// <summary>Another file as root disk.</summary>
    public string? Root { get; init; }

    /// <summary>Another TPM's folder.</summary>
    public string? Tpm { get; init; }

    /// <summary>Further arguments of QEMU.</summary>
    public ImmutableArray<string> Arguments { get; init; } = [];
}

using Cloister.Attestation.Dcap;

namespace Cloister.Attestation.Tdx;

/// <summary>What is accepted of a trust domain. Every field is said: there are no defaults.</summary>
public sealed record TdxPolicy() : TeePolicy(TeeKind.Tdx)
{
    /// <summary>Digest of the initial content.</summary>
    public required Requirement<string> MrTd { get; init; }

    /// <summary>Register 0: firmware and its configuration, where the firmware follows the convention.</summary>
    public required Requirement<string> Rtmr0 { get; init; }

    /// <summary>Register 1: kernel.</summary>
    public required Requirement<string> Rtmr1 { get; init; }

    /// <summary>Register 2: command line and initial file system.</summary>
    public required Requirement<string> Rtmr2 { get; init; }

    /// <summary>Register 3: for applications.</summary>
    public required Requirement<string> Rtmr3 { get; init; }

    /// <summary>The TDX module's digest.</summary>
    public required Requirement<string> MrSeam { get; init; }

    /// <summary>Configuration given by the host.</summary>
    public required Requirement<string> MrConfigId { get; init; }

    /// <summary>Owner given by the host.</summary>
    public required Requirement<string> MrOwner { get; init; }

    /// <summary>The owner's configuration given by the host.</summary>
    public required Requirement<string> MrOwnerConfig { get; init; }

    /// <summary>Bound service trust domains; 96 zeros for none. A quote before TDX 1.5 has none.</summary>
    public required Requirement<string> MrServiceTd { get; init; }

    /// <summary>Attributes, but for the debug bits that <see cref="AllowDebug"/> speaks of.</summary>
    public required BitRequirement Attributes { get; init; }

    /// <summary>Processor features.</summary>
    public required BitRequirement Xfam { get; init; }

    /// <summary>Whether the trust domain may run under debug: then the host reads and changes all of it.</summary>
    public required bool AllowDebug { get; init; }

    /// <summary>The platform.</summary>
    public required TcbPolicy Tcb { get; init; }
}

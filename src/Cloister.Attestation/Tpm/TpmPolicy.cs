using System.Collections.Immutable;

namespace Cloister.Attestation.Tpm;

/// <summary>Accepts quotes of a TPM 2.0. Every field asks for something or says that anything will do.</summary>
/// <param name="Key">Whose attestation key must have signed.</param>
/// <param name="Bank">The bank that the policy's digests are of.</param>
/// <param name="Pcrs">The PCRs of that bank that must be quoted, and what their values (lower-case hexadecimal) must be.</param>
/// <param name="Boot">What the event log must prove.</param>
/// <param name="Clock">What time and counters must be.</param>
/// <param name="FirmwareVersion">The TPM's firmware.</param>
public sealed record TpmPolicy(
    TpmKeyPolicy Key,
    TpmAlgorithm Bank,
    ImmutableSortedDictionary<int, Requirement<string>> Pcrs,
    TpmBootPolicy Boot,
    TpmClockPolicy Clock,
    Requirement<long> FirmwareVersion) : TeePolicy(TeeKind.Tpm)
{
    /// <summary>Whether SHA-1 counts: in the signature, and as the only bank that was quoted. SHA-1 is broken; for archives.</summary>
    public bool AllowSha1 { get; init; }

    /// <summary>The image whose measurements <see cref="Pcrs"/> are; null if they were said one by one.</summary>
    public TpmImage? Image { get; init; }

    /// <summary>
    /// The policy for a measured image: PCRs 4, 5, 7, 9, 11 and 12 exactly as predicted, which pin firmware settings, kernel, command line and
    /// initrd. Boot, clock and firmware version may be anything, as they are pinned by the PCRs or say nothing about the image.
    /// </summary>
    /// <exception cref="ArgumentException">The image is a debug image and that is not accepted, or it has no measurements for the path.</exception>
    public static TpmPolicy Of(TpmImage image, TpmKeyPolicy key)
    {
        ArgumentNullException.ThrowIfNull(image);
        return image.Problem is { } problem
            ? throw new ArgumentException($"{problem.Field}: {problem.Reason}.", nameof(image))
            : new TpmPolicy(key, TpmAlgorithm.Sha256, image.Pcrs, TpmBootPolicy.Any, TpmClockPolicy.Any, Requirement.Any<long>()) { Image = image };
    }
}

/// <summary>How an attestation key must be known to be a TPM's.</summary>
public abstract record TpmKeyPolicy
{
    private TpmKeyPolicy()
    {
    }

    /// <summary>Its name is known: from <see cref="TpmActivation"/>, or from the machine's own enrolment.</summary>
    /// <param name="Name">Hexadecimal names (name hash's number, then the hash).</param>
    public sealed record Named(Requirement<string> Name) : TpmKeyPolicy;

    /// <summary>An authority among the anchors certifies it.</summary>
    /// <param name="Subject">The certificate's subject, RFC 4514.</param>
    /// <param name="Project">The Google Cloud project in the certificate; a certificate without one has the empty project.</param>
    public sealed record Certified(Requirement<string> Subject, Requirement<string> Project) : TpmKeyPolicy;

    /// <summary>
    /// A TPM holds it whose endorsement key one of these authorities certifies, as an activation shows (<see cref="TpmEnrolment"/>). Evidence alone
    /// cannot: whoever judges runs the activation first, and what is judged then names the key. Judged without, it is refused.
    /// </summary>
    /// <param name="Roots">The authorities' certificates, DER; the one that issued the TPM's certificate if nobody hands it over.</param>
    /// <param name="Certificates">SHA-256 (lower-case hexadecimal) of the endorsement key's certificate, DER: which machines.</param>
    public sealed record Endorsed(ImmutableArray<ReadOnlyMemory<byte>> Roots, Requirement<string> Certificates) : TpmKeyPolicy
    {
        /// <summary>The certificate that an activation showed and that this policy does not accept; null if there was none.</summary>
        internal string? Unwanted { get; init; }
    }

    /// <summary>Any key. It then need not be in a TPM at all: whoever makes a key can sign a quote with it.</summary>
    public sealed record Any : TpmKeyPolicy;
}

/// <summary>What the replayed event log must prove.</summary>
/// <param name="SecureBoot">Whether Secure Boot was enforced.</param>
/// <param name="Applications">What every digest in PCR 4 that is no firmware action must be (Authenticode digests of loaders and kernels).</param>
/// <param name="CommandLine">What every kernel command line that GRUB passed on must be. A unified kernel image's is in PCR 11 and 12.</param>
/// <param name="Ima">What PCR 10 is: <c>none</c>, <c>boot-aggregate</c> or <c>list</c>.</param>
public sealed record TpmBootPolicy(Requirement<bool> SecureBoot, Requirement<string> Applications, Requirement<string> CommandLine, Requirement<string> Ima)
{
    /// <summary>Any boot: no event log is needed.</summary>
    public static TpmBootPolicy Any { get; } = new(Requirement.Any<bool>(), Requirement.Any<string>(), Requirement.Any<string>(), Requirement.Any<string>());

    internal bool NeedsLog => SecureBoot is not Requirement<bool>.Any || Applications is not Requirement<string>.Any || CommandLine is not Requirement<string>.Any;
}

/// <summary>What a TPM's time and counters must be. See <see cref="TpmClockInfo"/> for whom they mean something.</summary>
/// <param name="ResetCount">Boots; exactly that of an earlier quote proves that the machine was not rebooted since.</param>
/// <param name="RestartCount">Resumptions since the last boot.</param>
/// <param name="Milliseconds">Powered time. <c>AtLeast</c> also asks that the clock is safe, since an unsafe one may have gone back.</param>
/// <param name="Safe">Whether the clock cannot have gone back.</param>
public sealed record TpmClockPolicy(Requirement<long> ResetCount, Requirement<long> RestartCount, Requirement<long> Milliseconds, Requirement<bool> Safe)
{
    /// <summary>Any time.</summary>
    public static TpmClockPolicy Any { get; } = new(Requirement.Any<long>(), Requirement.Any<long>(), Requirement.Any<long>(), Requirement.Any<bool>());
}
